"""What is done with several studies at once: measure again, try again, a table of their numbers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, Response

from jobs.errors import JobsError, UnknownStudy
from jobs.job import Job
from jobs.listing import MOST, StudyQuery
from service.access.caller import caller_of
from service.api.problems import Refused
from service.api.resending import send_again
from service.api.site import Site, StudyUid, TheSite
from service.console.frame import render
from service.console.list_table import list_table

router = APIRouter(include_in_schema=False)

Chosen = Annotated[list[StudyUid], Form(alias="study", max_length=MOST, default_factory=list)]


@dataclass(frozen=True)
class Outcome:
    """What became of one study."""

    study_uid: str
    done: bool
    words: str


@router.post("/chosen/reprocess", name="reprocess_chosen")
def reprocess_chosen(request: Request, site: TheSite, chosen: Chosen) -> HTMLResponse:
    """Measure each study again when nothing else waits."""

    def again(study_uid: str) -> Job:
        job = site.store.measure_again(study_uid)
        site.submit(job.id)
        return job

    return _done(request, "Measure again", [_tried(uid, again) for uid in chosen])


@router.post("/chosen/retry", name="retry_chosen")
def retry_chosen(request: Request, site: TheSite, chosen: Chosen) -> HTMLResponse:
    """Queue the newest job of each study again, where it failed or is held."""

    def retry(study_uid: str) -> Job:
        job = site.store.requeue(_newest(site, study_uid))
        site.submit(job.id)
        return job

    return _done(request, "Try again", [_tried(uid, retry) for uid in chosen])


@router.post("/chosen/send", name="send_chosen")
def send_chosen(request: Request, site: TheSite, chosen: Chosen) -> HTMLResponse:
    """Send the results of each study's newest run to every destination once more."""

    def send(study_uid: str) -> Job:
        return send_again(site, _newest(site, study_uid), None)

    return _done(request, "Send again", [_tried(uid, send) for uid in chosen])


@router.post("/chosen/csv", name="export_chosen")
def export_chosen(request: Request, site: TheSite, chosen: Chosen) -> Response:
    """Return the list's columns of the chosen studies as CSV, named as the caller may see them."""
    request.state.audit_studies = tuple(chosen)
    page = site.store.listed(StudyQuery(uids=frozenset(chosen), limit=MOST))
    request.state.audit_studies = tuple(one.study.uid for one in page.studies)
    caller = caller_of(request)
    table = list_table([(one, site.naming.of(one.label, caller)) for one in page.studies])
    headers = {"Content-Disposition": 'attachment; filename="osteon_studies.csv"'}
    return Response(table, media_type="text/csv; charset=utf-8", headers=headers)


def _newest(site: Site, study_uid: str) -> str:
    jobs = site.store.jobs(study_uid=study_uid, limit=1)
    if not jobs:
        raise UnknownStudy("it still arrives: there is no run of it")
    return jobs[0].id


def _tried(study_uid: str, act: Callable[[str], Job]) -> Outcome:
    try:
        job = act(study_uid)
    except (JobsError, Refused) as error:
        return Outcome(study_uid, done=False, words=f"{error} ({error.code})")
    return Outcome(study_uid, done=True, words=f"queued as revision {job.revision}")


def _done(request: Request, title: str, outcomes: list[Outcome]) -> HTMLResponse:
    request.state.audit_studies = tuple(outcome.study_uid for outcome in outcomes)
    request.state.audit_studies = tuple(one.study_uid for one in outcomes if one.done)
    return render(request, "chosen.html", {"title": title, "outcomes": outcomes})
