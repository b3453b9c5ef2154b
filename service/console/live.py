"""Rows of the list as they change: a stream of HTML, one event for each row that is shown.

Events: `study-…` (the row with this id, drawn again) and `list` (another set of studies: the page
asks for its list again). Ids are those of job events, so that a browser that comes back, as after
a restart of this process, says what it saw last; whatever happened since then is told by `list`.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from pydantic import Field

from jobs.errors import JobsError
from service.api.events import is_over
from service.api.paging import LAST_ID
from service.api.site import Site
from service.console.asked import Asked
from service.console.frame import rendered
from service.console.rows import Row
from service.console.worklist import worklist

router = APIRouter(include_in_schema=False)

POLL_S = 1.0
HEARTBEAT_S = 15.0
LASTS_S = 900.0
"""Then the browser comes anew, and is asked anew who it is."""
_COME_BACK_MS = 2000
_AT_ONCE = 500


class AskedSince(Asked):
    """A page of the list, and the last event that it knows of."""

    after: Annotated[int, Field(ge=0, le=LAST_ID)] = 0


@router.get("/live", name="live_studies")
async def live_studies(
    request: Request,
    asked: Annotated[AskedSince, Query()],
    last_event_id: Annotated[int | None, Header(ge=0, le=LAST_ID)] = None,
) -> StreamingResponse:
    """Stream what changes on one page of the list (text/event-stream of HTML)."""
    watch = Watch(request, asked, asked.after if last_event_id is None else last_event_id)
    headers = {"X-Accel-Buffering": "no", "Cache-Control": "no-store"}
    return StreamingResponse(_stream(watch), media_type="text/event-stream", headers=headers)


@dataclass
class Watch:
    """One page of the list in one browser: what it shows, and up to which event."""

    request: Request
    asked: Asked
    after: int
    _arriving: tuple[tuple[str, int], ...] = ()
    _shown: dict[str, tuple[object, ...]] = field(default_factory=dict)
    _begun: bool = False

    def look(self) -> list[str]:
        """Return the messages that bring the page up to date."""
        happened, moved = self._read_events(), self._arrivals_moved()
        if self._begun and not happened and not moved:
            return []
        rows = worklist(self.request, self.asked.query()).rows
        before, self._shown = self._shown, {row.key: row.seen_as() for row in rows}
        if not self._begun:
            self._begun = True
            return [_message("list", "again", self.after)] if happened else []
        if list(before) != list(self._shown):
            return [_message("list", "again", self.after)]
        changed = (row for row in rows if before[row.key] != self._shown[row.key])
        return [_message(row.key, self._html(row), self.after) for row in changed]

    def _read_events(self) -> bool:
        """Go on to the last event; tell whether there was any, or the record is another one."""
        store = _site(self.request).store
        events = store.all_events(self.after, _AT_ONCE)
        if not events:
            last = store.last_event_id() if not self._begun else self.after
            backwards, self.after = last < self.after, min(last, self.after)
            return backwards
        while events:
            self.after = events[-1].id
            events = store.all_events(self.after, _AT_ONCE) if len(events) == _AT_ONCE else ()
        return True

    def _arrivals_moved(self) -> bool:
        arriving = tuple((s.uid, s.n_instances) for s in _site(self.request).store.open_studies())
        before, self._arriving = self._arriving, arriving
        return before != arriving

    def _html(self, row: Row) -> str:
        return rendered(self.request, "study_row.html", {"row": row})


def _site(request: Request) -> Site:
    site: Site = request.app.state.site
    return site


async def _stream(watch: Watch) -> AsyncIterator[str]:
    yield f"retry: {_COME_BACK_MS}\n\n"
    silent_s, ends_at = 0.0, time.monotonic() + LASTS_S
    while time.monotonic() < ends_at and not await is_over(watch.request):
        try:
            messages = await run_in_threadpool(watch.look)
        except JobsError:
            return  # the browser comes back, and is told by the answer to that
        for message in messages:
            yield message
        silent_s = 0.0 if messages else silent_s + POLL_S
        if silent_s >= HEARTBEAT_S:
            silent_s = 0.0
            yield ": still here\n\n"
        await asyncio.sleep(POLL_S)


def _message(name: str, html: str, event_id: int) -> str:
    data = "".join(f"data: {line}\n" for line in html.splitlines())
    return f"id: {event_id}\nevent: {name}\n{data}\n"
