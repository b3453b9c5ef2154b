"""`/api/v1/jobs`: what is being done, with its history as a list and as a stream."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from jobs.job import Job, JobEvent, JobState
from service.api.schemas import DeliveryOut, EventOut, JobDetail, JobOut, ResultOut
from service.api.site import JobId, Site, TheSite

router = APIRouter(prefix="/api/v1/jobs", tags=["jobs"])

POLL_S = 0.5
HEARTBEAT_S = 15.0


@router.get("")
def list_jobs(
    site: TheSite,
    state: JobState | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> list[JobOut]:
    """List jobs, the newest first; of one state if asked."""
    jobs = site.store.jobs(state, limit)
    newest = site.store.newest_revisions({job.study_uid for job in jobs})
    return [JobOut.of(job, newest[job.study_uid]) for job in jobs]


@router.get("/{job_id}")
def get_job(site: TheSite, job_id: JobId) -> JobDetail:
    """Return one job with its numbers, stage times, results and deliveries."""
    store = site.store
    return JobDetail(
        **_out(site, store.job(job_id)).model_dump(),
        stage_seconds=store.stage_seconds(job_id),
        summary=store.summary(job_id),
        results=[ResultOut.of(job_id, result) for result in store.results(job_id)],
        deliveries=[DeliveryOut.of(delivery) for delivery in store.deliveries(job_id)],
    )


@router.post("/{job_id}/retry", status_code=202)
def retry_job(site: TheSite, job_id: JobId) -> JobOut:
    """Queue a failed or held job again; 409 in any other state."""
    return _out(site, site.store.requeue(job_id))


@router.get("/{job_id}/events")
def list_events(
    site: TheSite, job_id: JobId, after: Annotated[int, Query(ge=0)] = 0
) -> list[EventOut]:
    """List a job's events with ids above `after`, in order."""
    site.store.job(job_id)
    return [EventOut.of(event) for event in site.store.events(job_id, after)]


@router.get("/{job_id}/events/stream", response_class=StreamingResponse)
async def stream_events(
    request: Request,
    site: TheSite,
    job_id: JobId,
    last_event_id: Annotated[int, Header(ge=0)] = 0,
) -> StreamingResponse:
    """Stream a job's events (text/event-stream), resumed by Last-Event-ID, until the job ends."""
    await run_in_threadpool(site.store.job, job_id)
    headers = {"X-Accel-Buffering": "no", "Cache-Control": "no-store"}
    stream = _stream(request, site, job_id, last_event_id)
    return StreamingResponse(stream, media_type="text/event-stream", headers=headers)


def _out(site: Site, job: Job) -> JobOut:
    return JobOut.of(job, site.store.study(job.study_uid).revision)


async def _stream(request: Request, site: Site, job_id: str, after: int) -> AsyncIterator[str]:
    silent_s = 0.0
    while not await request.is_disconnected():
        # The state first: events of a job that had ended by then are all there.
        job = await run_in_threadpool(site.store.job, job_id)
        events = await run_in_threadpool(site.store.events, job_id, after)
        for event in events:
            after = event.id
            yield _message(event)
        if job.state not in (JobState.QUEUED, JobState.RUNNING):
            yield "event: job.done\ndata: {}\n\n"
            return
        silent_s = 0.0 if events else silent_s + POLL_S
        if silent_s >= HEARTBEAT_S:
            silent_s = 0.0
            yield ": still here\n\n"
        await asyncio.sleep(POLL_S)


def _message(event: JobEvent) -> str:
    data = EventOut.of(event).model_dump_json()
    return f"id: {event.id}\nevent: job.{event.kind}\ndata: {data}\n\n"
