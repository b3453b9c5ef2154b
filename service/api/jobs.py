"""`/api/v1/jobs`: what is being done, with its history, and what a person may decide about it."""

from typing import Annotated

from fastapi import Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from jobs.job import Job, JobState
from service.api.conditional import IfNoneMatch, document
from service.api.events import STREAM, EventStream, LastEventId, event_stream, of_job
from service.api.paging import LAST_ID, Limit, link_next
from service.api.resending import Resending, send_again
from service.api.route import REPEATABLE, api_router
from service.api.schemas import (
    DeliveryOut,
    EventOut,
    EventPage,
    JobDetail,
    JobOut,
    JobPage,
    ResultOut,
)
from service.api.site import JobId, Site, TheSite

router = api_router("/jobs", "jobs")


@router.get("")
def list_jobs(
    request: Request,
    response: Response,
    site: TheSite,
    state: JobState | None = None,
    limit: Limit = 50,
    cursor: Annotated[
        str | None, Query(pattern=r"^[0-9a-f]{32}$", description="`next` of the page before")
    ] = None,
) -> JobPage:
    """List jobs, the newest first; of one state if asked."""
    found = site.store.jobs(state, limit + 1, after=cursor)
    jobs = found[:limit]
    newest = site.store.newest_revisions({job.study_uid for job in jobs})
    more = jobs[-1].id if len(found) > limit else None
    link_next(request, response, cursor=more)
    return JobPage(items=[JobOut.of(job, newest[job.study_uid]) for job in jobs], next=more)


@router.get("/{job_id}", response_model=JobDetail)
def get_job(site: TheSite, job_id: JobId, if_none_match: IfNoneMatch = None) -> Response:
    """Return one job with its numbers, stage times, results and deliveries."""
    store = site.store
    detail = JobDetail(
        **_out(site, store.job(job_id)).model_dump(),
        stage_seconds=store.stage_seconds(job_id),
        summary=store.summary(job_id),
        results=[ResultOut.of(job_id, result) for result in store.results(job_id)],
        deliveries=[DeliveryOut.of(delivery) for delivery in store.deliveries(job_id)],
    )
    return document(detail, if_none_match)


@router.post("/{job_id}/retry", status_code=202, dependencies=REPEATABLE)
def retry_job(site: TheSite, job_id: JobId) -> JobOut:
    """Queue a failed or held job again; 409 in any other state."""
    job = site.store.requeue(job_id)
    site.submit(job.id)
    return _out(site, job)


@router.post("/{job_id}/release", status_code=202, dependencies=REPEATABLE)
def release_job(site: TheSite, job_id: JobId) -> JobOut:
    """Let a job go on that is held for its patient's identity; 409 for any other.

    It is measured, and not compared with the studies that say to be another person's.
    """
    job = site.store.release(job_id)
    site.submit(job.id)
    return _out(site, job)


@router.post("/{job_id}/cancel", dependencies=REPEATABLE)
def cancel_job(site: TheSite, job_id: JobId) -> JobOut:
    """End a job that waits, as rejected with the code CANCELLED; 409 once it runs."""
    return _out(site, site.store.cancel(job_id))


@router.post("/{job_id}/resend", status_code=202, dependencies=REPEATABLE)
def resend_job(site: TheSite, job_id: JobId, asked: Resending = None) -> JobOut:
    """Send a delivered job's objects once more: the same bytes under the same UIDs.

    To the destinations that are named, or to all; 409 while the job waits or runs.
    """
    return _out(site, send_again(site, job_id, asked))


@router.get("/{job_id}/events")
def list_events(
    request: Request,
    response: Response,
    site: TheSite,
    job_id: JobId,
    after: Annotated[
        int, Query(ge=0, le=LAST_ID, description="id of the last event that the caller has")
    ] = 0,
    limit: Limit = 500,
) -> EventPage:
    """List a job's events with ids above `after`, in order."""
    site.store.job(job_id)
    found = site.store.events(job_id, after, limit + 1)
    more = str(found[limit - 1].id) if len(found) > limit else None
    link_next(request, response, after=more)
    return EventPage(items=[EventOut.of(event) for event in found[:limit]], next=more)


@router.get("/{job_id}/events/stream", response_class=EventStream, responses=STREAM)
async def stream_events(
    request: Request, site: TheSite, job_id: JobId, last_event_id: LastEventId = None
) -> EventStream:
    """Stream a job's events, resumed by Last-Event-ID, until the job ends.

    The last message is `event: job.done`. Otherwise as `/api/v1/events`.
    """
    await run_in_threadpool(site.store.job, job_id)
    return event_stream(request, of_job(site.store, job_id), last_event_id or 0)


def _out(site: Site, job: Job) -> JobOut:
    return JobOut.of(job, site.store.study(job.study_uid).revision)
