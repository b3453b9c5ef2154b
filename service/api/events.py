"""`/api/v1/events`: everything that happens, as one stream of server-sent events."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

from fastapi import Header, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from jobs.errors import JobsError
from jobs.job import JobEvent, JobState
from jobs.store import JobStore
from service.api.paging import LAST_ID
from service.api.route import api_router
from service.api.schemas import EventOut
from service.api.site import TheSite

router = api_router("/events", "events")

POLL_S = 0.5
HEARTBEAT_S = 15.0
STREAM_S = 900.0
"""A stream ends after this and is opened again by who listens: with the rights of that moment."""
_AT_ONCE = 500
_ACTIVE = (JobState.QUEUED, JobState.RUNNING)

Look = Callable[[int], tuple[tuple[JobEvent, ...], bool]]
"""Given the id of the last event: what came after it, and whether nothing comes any more."""
LastEventId = Annotated[
    int | None,
    Header(ge=0, le=LAST_ID, description="id of the last event that the caller has"),
]


class EventStream(StreamingResponse):
    """A response of the form of server-sent events."""

    media_type = "text/event-stream"


STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Server-sent events; `data` is a JSON object (EventOut)",
        "content": {
            "text/event-stream": {
                "schema": {
                    "type": "object",
                    "properties": {name: {"type": "string"} for name in ("id", "event", "data")},
                }
            }
        },
    }
}
"""How the stream is described: by one of its messages."""


@router.get("", response_class=EventStream, responses=STREAM)
async def stream_all_events(
    request: Request,
    site: TheSite,
    last_event_id: LastEventId = None,
    after: Annotated[
        int | None, Query(ge=0, le=LAST_ID, description="the same, where no header can be set")
    ] = None,
) -> EventStream:
    """Stream the events of every job, from now on or after the one that is named.

    Each has its `id`, `event: job.<kind>` and a JSON object as `data`. A comment comes every 15 s
    where nothing happens. The stream ends after 15 minutes; open it again with `Last-Event-ID`.
    """
    store = site.store
    begin = last_event_id if last_event_id is not None else after
    if begin is None:
        begin = await run_in_threadpool(store.last_event_id)
    return event_stream(request, lambda last: (store.all_events(last, _AT_ONCE), False), begin)


def event_stream(request: Request, look: Look, after: int) -> EventStream:
    """Return the stream of what `look` finds, resumed after an id."""
    headers = {"X-Accel-Buffering": "no", "Cache-Control": "no-store"}
    return EventStream(_messages(request, look, after), headers=headers)


def of_job(store: JobStore, job_id: str) -> Look:
    """Return how the events of one job are found, until it ends."""

    def look(after: int) -> tuple[tuple[JobEvent, ...], bool]:
        # The state first: events of a job that had ended by then are all there.
        ended = store.job(job_id).state not in _ACTIVE
        events = store.events(job_id, after, _AT_ONCE)
        return events, ended and len(events) < _AT_ONCE

    return look


async def is_over(request: Request) -> bool:
    """Tell whether nobody listens any more, or the server is to stop."""
    return request.app.state.stopping or await request.is_disconnected()


async def _messages(request: Request, look: Look, after: int) -> AsyncIterator[str]:
    began_s = said_s = time.monotonic()
    while time.monotonic() - began_s < STREAM_S and not await is_over(request):
        try:
            events, ended = await run_in_threadpool(look, after)
        except JobsError:  # the listener comes again, and is told where it stopped
            return
        for event in events:
            after = event.id
            said_s = time.monotonic()
            yield _message(event)
        if ended:
            yield "event: job.done\ndata: {}\n\n"
            return
        if time.monotonic() - said_s >= HEARTBEAT_S:
            said_s = time.monotonic()
            yield ": still here\n\n"
        await asyncio.sleep(POLL_S)


def _message(event: JobEvent) -> str:
    data = EventOut.of(event).model_dump_json()
    return f"id: {event.id}\nevent: job.{event.kind}\ndata: {data}\n\n"
