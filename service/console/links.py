"""Addresses that others point here with: the PACS by UID or accession number, old pages by job."""

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse

from jobs.errors import UnknownStudy
from jobs.listing import StudyQuery
from service.api.site import JobId, TheSite
from service.console.worklist import may_search_names

router = APIRouter(include_in_schema=False)

_MOST = 20


@router.get("/jobs/{job_id}", name="job_page")
def job_page(site: TheSite, job_id: JobId) -> RedirectResponse:
    """Show the job on the page of its study."""
    job = site.store.job(job_id)
    return RedirectResponse(f"/studies/{job.study_uid}/runs/{job.id}", status_code=303)


def pointed_at(request: Request) -> str | None:
    """Return the study that `?StudyInstanceUID=` or `?AccessionNumber=` names; None without either.

    Raises:
        UnknownStudy: no study is named so, or several have this accession number, or who asks
            may not see accession numbers.

    """
    given = {name.lower(): value for name, value in request.query_params.items()}
    if study_uid := given.get("studyinstanceuid", "").strip():
        return str(request.app.state.site.store.study(study_uid).uid)
    if accession := given.get("accessionnumber", "").strip():
        return _by_accession(request, accession)
    return None


def _by_accession(request: Request, accession: str) -> str:
    query = StudyQuery(text=accession, by_label=may_search_names(request), limit=_MOST)
    listed = request.app.state.site.store.listed(query).studies
    found = [one for one in listed if one.label and one.label.accession_number == accession]
    if len(found) != 1:
        many = "no study" if not found else "more than one study"
        raise UnknownStudy(f"{many} arrived with this accession number: look in the list")
    return str(found[0].study.uid)
