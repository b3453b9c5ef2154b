"""The Study screen: what a run found, or why it found nothing; and while it runs, how far it is.

One address for all of it, so that a link stays right while the study goes on: of a study it shows
the newest run. Every number comes from the run's `measurements.json` through the fragments of
`report/`, the same as in the PDF.
"""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse

from jobs.comments import LONGEST, LONGEST_ASSESSMENT
from jobs.job import Job
from jobs.study import Study
from report.lesion_list import LesionOrder
from service.access.caller import caller_of
from service.api.site import JobId, Site, StudyUid, TheSite
from service.console.frame import render
from service.console.measured import measured_parts
from service.console.progress import ACTIVE, progress_parts
from service.console.run_document import DocumentGone, run_document
from service.console.run_record import record_parts
from service.console.runs import run_of, runs_of
from service.console.support_bundle import bundle_of
from service.console.unmeasured import unmeasured_parts

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

Order = Annotated[LesionOrder, Query()]


@router.get("/studies/{study_uid}", name="see_study")
def study_page(
    request: Request, site: TheSite, study_uid: StudyUid, lesions: Order = LesionOrder.VOLUME
) -> HTMLResponse:
    """Show a study by its newest run; before it has one, what has arrived."""
    study = site.store.study(study_uid)
    runs = runs_of(site.store, study_uid)
    if runs:
        return _run_page(request, study, runs[0], lesions)
    context = {**_heading(request, site, study), **progress_parts(request, None)}
    return render(request, "study_page.html", context)


@router.get("/studies/{study_uid}/runs/{job_id}", name="see_run")
def run_page(
    request: Request,
    site: TheSite,
    study_uid: StudyUid,
    job_id: JobId,
    lesions: Order = LesionOrder.VOLUME,
) -> HTMLResponse:
    """Show one run of a study, the newest or an older one."""
    job = run_of(site.store, study_uid, job_id)
    return _run_page(request, site.store.study(study_uid), job, lesions)


@router.get("/studies/{study_uid}/progress", name="see_progress")
def progress_part(request: Request, site: TheSite, study_uid: StudyUid) -> HTMLResponse:
    """Return the part of the page that changes while a study arrives or runs."""
    study = site.store.study(study_uid)
    runs = runs_of(site.store, study_uid)
    context = {"study": study, **progress_parts(request, runs[0] if runs else None)}
    return render(request, "study_progress_now.html", context)


@router.get("/studies/{study_uid}/runs/{job_id}/support.zip", name="take_support_bundle")
def support_bundle(site: TheSite, study_uid: StudyUid, job_id: JobId) -> Response:
    """Download what a developer needs of a run, without patient data."""
    job = run_of(site.store, study_uid, job_id)
    headers = {"Content-Disposition": f'attachment; filename="osteon-{job.id[:8]}.zip"'}
    return Response(bundle_of(site, job), media_type="application/zip", headers=headers)


def _run_page(request: Request, study: Study, job: Job, order: LesionOrder) -> HTMLResponse:
    site: Site = request.app.state.site
    context = {
        **_heading(request, site, study),
        **record_parts(site, study, job, runs_of(site.store, study.uid)),
    }
    if job.state in ACTIVE:
        context |= progress_parts(request, job)
    try:
        document, gone = run_document(site, job.id), ""
    except DocumentGone as error:
        document, gone = None, str(error)
    context |= unmeasured_parts(site, job, gone)
    if document is None:
        return render(request, "study_unmeasured.html", context)
    return render(request, "study.html", context | measured_parts(site, job, document, order))


def _heading(request: Request, site: Site, study: Study) -> dict[str, object]:
    """Say whose study it is, as this caller may see it."""
    return {
        "study": study,
        "named": site.naming.of(site.store.label(study.uid), caller_of(request)),
        "short_uid": f"…{study.uid[-8:]}",
        "longest": LONGEST,
        "longest_assessment": LONGEST_ASSESSMENT,
    }
