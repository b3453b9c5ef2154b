"""What a person can do with a study: forms of its page; each ends on the page of a run again."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse

from jobs.comments import LONGEST, LONGEST_ASSESSMENT
from service.access.caller import caller_of
from service.api.resending import send_again
from service.api.site import JobId, StudyUid, TheSite
from service.console.runs import run_of

router = APIRouter(include_in_schema=False, default_response_class=RedirectResponse)

_RUN = "/studies/{study_uid}/runs/{job_id}"


@router.post(f"{_RUN}/comments", name="comment_on_run")
def comment(
    request: Request,
    site: TheSite,
    study_uid: StudyUid,
    job_id: JobId,
    text: Annotated[str, Form(max_length=LONGEST)] = "",
    assessment: Annotated[str, Form(max_length=LONGEST_ASSESSMENT)] = "",
) -> RedirectResponse:
    """Keep what a reader wrote beside a run; it is shown here and nowhere else."""
    run_of(site.store, study_uid, job_id)
    caller = caller_of(request)
    site.store.add_comment(job_id, caller.name if caller else "", text, assessment)
    return _see(study_uid, job_id, "#comments")


@router.post(f"{_RUN}/retry", name="retry_run")
def retry(site: TheSite, study_uid: StudyUid, job_id: JobId) -> RedirectResponse:
    """Queue a failed or held run again."""
    run_of(site.store, study_uid, job_id)
    site.store.requeue(job_id)
    site.submit(job_id)
    return _see(study_uid, job_id)


@router.post(f"{_RUN}/release", name="release_run")
def release(site: TheSite, study_uid: StudyUid, job_id: JobId) -> RedirectResponse:
    """Let a run go on that is held for its patient's identity: somebody knows whose it is."""
    run_of(site.store, study_uid, job_id)
    site.store.release(job_id)
    site.submit(job_id)
    return _see(study_uid, job_id)


@router.post(f"{_RUN}/cancel", name="cancel_run")
def cancel(site: TheSite, study_uid: StudyUid, job_id: JobId) -> RedirectResponse:
    """End a run that waits; the study can be measured again."""
    run_of(site.store, study_uid, job_id)
    site.store.cancel(job_id)
    return _see(study_uid, job_id)


@router.post(f"{_RUN}/send", name="send_run_again")
def send(site: TheSite, study_uid: StudyUid, job_id: JobId) -> RedirectResponse:
    """Send the bytes that were kept once more, to every destination of the settings."""
    run_of(site.store, study_uid, job_id)
    send_again(site, job_id, None)
    return _see(study_uid, job_id)


@router.post("/studies/{study_uid}/reprocess", name="measure_study_again")
def process_again(site: TheSite, study_uid: StudyUid) -> RedirectResponse:
    """Measure the study again with the models and settings of now: a new run beside the old."""
    job = site.store.measure_again(study_uid)
    site.submit(job.id)
    return _see(study_uid, job.id)


def _see(study_uid: str, job_id: str, place: str = "") -> RedirectResponse:
    return RedirectResponse(f"/studies/{study_uid}/runs/{job_id}{place}", status_code=303)
