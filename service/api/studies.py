"""`/api/v1/studies`: what arrived, what was found, and how it went over time."""

from typing import Annotated

from fastapi import Query, Request, Response

from jobs.errors import IllegalMove
from jobs.job import Job
from jobs.listing import ListedStudy
from service.access.caller import caller_of
from service.api.conditional import IfNoneMatch, document
from service.api.paging import link_next
from service.api.problems import NoSuchResult
from service.api.resending import Resending, send_again
from service.api.route import REPEATABLE, api_router
from service.api.schemas import JobOut, ResultOut, RunOut, StudyDetail, StudyOut
from service.api.site import Site, StudyUid, TheSite
from service.api.study_schemas import (
    ListedStudyOut,
    PriorOut,
    Priors,
    StudyFilter,
    StudyPage,
    StudySearch,
    Timeline,
)
from service.api.timeline import timeline

router = api_router("/studies", "studies")


@router.get("")
def list_studies(
    request: Request,
    response: Response,
    site: TheSite,
    wanted: Annotated[StudyFilter, Query()],
) -> StudyPage:
    """List studies, filtered and sorted; by name or number they are sought by a search."""
    page = site.store.listed(wanted.query())
    link_next(request, response, cursor=page.next)
    items = [_listed(request, site, found, names=wanted.names) for found in page.studies]
    return StudyPage(items=items, next=page.next)


@router.post("/search")
def search_studies(request: Request, site: TheSite, wanted: StudySearch) -> StudyPage:
    """List studies that hold a text; it stands in the body, as it may be a patient's name.

    Who is not shown names finds a study by its UID or the id of its job only.
    """
    by_label = site.naming.shows(caller_of(request))
    page = site.store.listed(wanted.query(wanted.text, by_label=by_label))
    items = [_listed(request, site, found, names=wanted.names) for found in page.studies]
    return StudyPage(items=items, next=page.next)


@router.get("/{study_uid}", response_model=StudyDetail)
def get_study(site: TheSite, study_uid: StudyUid, if_none_match: IfNoneMatch = None) -> Response:
    """Return one study with its jobs."""
    study = StudyOut.of(site.store.study(study_uid))
    jobs = [JobOut.of(job, study.revision) for job in site.store.jobs(study_uid=study_uid)]
    return document(StudyDetail(**study.model_dump(), jobs=jobs), if_none_match)


@router.get("/{study_uid}/results", response_model=RunOut)
def get_study_results(
    site: TheSite, study_uid: StudyUid, if_none_match: IfNoneMatch = None
) -> Response:
    """Return the newest results of a study: the job that made them, its numbers and files."""
    study, job = site.store.study(study_uid), _newest_run(site, study_uid)
    if job is None:
        raise NoSuchResult("this study has no results yet")
    run = RunOut(
        job=JobOut.of(job, study.revision),
        summary=site.store.summary(job.id),
        files=[ResultOut.of(job.id, result) for result in site.store.results(job.id)],
    )
    return document(run, if_none_match)


@router.get("/{study_uid}/priors")
def get_priors(site: TheSite, study_uid: StudyUid) -> Priors:
    """Return the earlier studies that an archive was asked for, and how far each came."""
    store = site.store
    store.study(study_uid)
    search = store.prior_search(study_uid)
    return Priors(
        asked=search is not None,
        code=search.code if search else None,
        left_out=search.left_out if search else 0,
        only_prior=store.is_only_prior(study_uid),
        priors=[
            PriorOut(
                study_uid=wish.study_uid,
                taken_on=wish.taken_on,
                state=wish.state,
                code=wish.code,
                job_state=wish.job_state,
            )
            for wish in store.wished_priors(study_uid)
        ],
    )


@router.get("/{study_uid}/timeline", response_model=Timeline)
def get_timeline(site: TheSite, study_uid: StudyUid, if_none_match: IfNoneMatch = None) -> Response:
    """Return the headline numbers of every study of the patient whom this one is of.

    A patient is found by a study and never by a name or number.
    """
    return document(timeline(site.store, study_uid), if_none_match)


@router.post("/{study_uid}/reprocess", status_code=202, dependencies=REPEATABLE)
def reprocess_study(site: TheSite, study_uid: StudyUid) -> JobOut:
    """Measure a study again when nothing else waits; 409 while it arrives, waits or runs."""
    job = site.store.measure_again(study_uid)
    site.submit(job.id)
    return JobOut.of(job, job.revision)


@router.post("/{study_uid}/resend", status_code=202, dependencies=REPEATABLE)
def resend_study(site: TheSite, study_uid: StudyUid, asked: Resending = None) -> JobOut:
    """Send the newest results of a study once more, as `/jobs/{job_id}/resend`."""
    study = site.store.study(study_uid)
    newest = site.store.jobs(study_uid=study_uid, limit=1)
    if not newest:
        raise IllegalMove(f"study {study_uid} still arrives: there is nothing to send")
    return JobOut.of(send_again(site, newest[0].id, asked), study.revision)


def _newest_run(site: Site, study_uid: str) -> Job | None:
    jobs = site.store.jobs(study_uid=study_uid)
    return next((job for job in jobs if site.store.results(job.id)), None)


def _listed(request: Request, site: Site, found: ListedStudy, *, names: bool) -> ListedStudyOut:
    named = site.naming.of(found.label, caller_of(request)) if names else None
    return ListedStudyOut.listed(found, named)
