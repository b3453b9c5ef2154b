"""Writes into the audit what was asked and how it ended, before the answer leaves.

An answer that could not be recorded is not given (503): nobody sees what nobody can tell later.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers

from jobs.errors import JobsError
from service.access.entries import entry_of
from service.access.events import event_of, job_of, study_of
from service.access.rules import SAFE_METHODS
from service.api.problems import of_store

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import Message, Send

    from jobs.audit import AuditEntry
    from jobs.store import JobStore
    from service.access.caller import Caller

_VIEWS = frozenset({"study_view", "study_list", "result_download"})
ONE_VIEW_S = 60.0
"""Pictures, parts and refreshes of one page within this time are one view; so is one file."""
_MOST = 10_000


@dataclass
class Views:
    """Who saw what lately, in the memory of this process."""

    _seen: dict[tuple[str, ...], float] = field(default_factory=dict)

    def is_new(self, entry: AuditEntry) -> bool:
        """Tell whether a view is none of the last minute's, and remember it."""
        of_what = (entry.study_uid or "", entry.job_id or "", entry.detail)
        key = (entry.event, entry.actor, entry.address, *of_what)
        now = time.monotonic()
        if now - self._seen.get(key, -ONE_VIEW_S) < ONE_VIEW_S:
            return False
        self._seen.pop(key, None)
        self._seen[key] = now
        while len(self._seen) > _MOST:
            del self._seen[next(iter(self._seen))]
        return True

    def forget(self) -> None:
        """Count every view as new: the last could not be recorded."""
        self._seen.clear()


@dataclass
class Recording:
    """The way of one answer out: `send` records at its begin what the request was."""

    request: Request
    store: JobStore
    address: str
    views: Views
    out: Send
    failed: bool = False

    async def send(self, message: Message) -> None:
        """Send one message on, unless the answer could not be recorded."""
        if message["type"] == "http.response.start":
            for entry in self._entries(message["status"], Headers(raw=message["headers"])):
                if not await self._is_written(entry):
                    return
        if not self.failed:
            await self.out(message)

    async def _is_written(self, entry: AuditEntry) -> bool:
        try:
            await run_in_threadpool(self.store.record_audit, entry)
        except JobsError as error:
            self.failed = True
            self.views.forget()
            await of_store(error)(self.request.scope, self.request.receive, self.out)
        return not self.failed

    def _entries(self, status: int, headers: Headers) -> tuple[AuditEntry, ...]:
        """Return what to record; nothing of what is no event, or of a look at what is not there."""
        scope, state, method = self.request.scope, self.request.state, self.request.method
        parameters = scope.get("path_params", {})
        name = getattr(scope.get("route"), "name", "")
        event = event_of(name, method, parameters) if "route" in scope else None
        caller: Caller | None = state.caller
        if event is None or caller is None or (status >= 400 and method in SAFE_METHODS):
            return ()
        outcome = "success" if status < 400 else "failed"
        named = parameters.get("name", parameters.get("webhook_id", ""))
        if event == "result_download" and _is_shown(headers):
            event, named = "study_view", ""
        detail = str(named) if status < 400 else ""
        detail = getattr(state, "audit_detail", detail)
        entry = entry_of(caller, self.address, event, outcome, detail)
        entry = replace(entry, job_id=job_of(parameters))
        studies = getattr(state, "audit_studies", None) or (study_of(parameters),)
        entries = (replace(entry, study_uid=study_uid) for study_uid in studies)
        return tuple(e for e in entries if event not in _VIEWS or self.views.is_new(e))


def _is_shown(headers: Headers) -> bool:
    """Tell a picture of a page from a file that is saved."""
    return headers.get("content-disposition", "attachment").startswith("inline")
