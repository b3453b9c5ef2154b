"""One request on its way through the gate."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool

from service.access import refusals
from service.access.addresses import client_address
from service.access.caller import Caller, Role
from service.access.entries import entry_of
from service.access.forgery import carries, given_token, is_from_our_page
from service.access.identify import identify
from service.access.rates import Buckets
from service.access.recording import Recording, Views
from service.access.rules import SAFE_METHODS, is_sign_in, role_for

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import Receive, Send

    from jobs.audit import AuditEntry
    from service.access.identify import Found
    from service.api.site import Site

_UNKNOWN = Caller("unknown", Role.VIEWER)


@dataclass(frozen=True)
class Memory:
    """What this process remembers of those who came; a restart forgets it."""

    calls: Buckets = field(default_factory=Buckets)
    attempts: Buckets = field(default_factory=Buckets)
    views: Views = field(default_factory=Views)


@dataclass
class Visit:
    """Finds who makes a request and whether it may pass; leaves both in `request.state`."""

    request: Request
    site: Site
    memory: Memory
    receive: Receive = field(init=False)
    """Where the body is to be read from; the gate may have read a part of it."""
    address: str = field(init=False)

    def __post_init__(self) -> None:
        """Begin with nobody."""
        self.receive = self.request.receive
        self.address = client_address(self.request, self.site.access.proxies)
        self.request.state.caller = None
        self.request.state.csrf_token = ""
        self.request.state.address = self.address

    def recording(self, send: Send) -> Recording:
        """Return the way out."""
        return Recording(self.request, self.site.store, self.address, self.memory.views, send)

    async def refusal(self) -> Response | None:
        """Return why this request does not pass; None if it does.

        Raises:
            JobsError: the database does not answer.

        """
        request, policy = self.request, self.site.access
        path = request.scope["path"]
        if is_sign_in(request.method, path):
            return self._sign_in_refusal()
        needed = role_for(request.method, path, open_metrics=policy.open_metrics)
        if needed is None:
            return None
        found = await run_in_threadpool(identify, request, self.site.store, policy)
        if found.is_wrong:
            return await self._wrong_token()
        if found.caller is None:
            return refusals.not_signed_in(request, is_set_up=found.is_set_up)
        return await self._callers_refusal(found, found.caller, needed)

    async def _callers_refusal(self, found: Found, caller: Caller, needed: Role) -> Response | None:
        self.request.state.caller = caller
        self.request.state.csrf_token = found.csrf_token
        wait_s = self._calls_wait_s(caller)
        if wait_s:
            return refusals.too_often(wait_s)
        if not caller.may(needed):
            detail = f"{self.request.method} needs {needed}"
            await self._record(entry_of(caller, self.address, "denied", "refused", detail=detail))
            return refusals.wrong_role(caller, needed)
        if caller.via != "token" and self.request.method not in SAFE_METHODS:
            return await self._forgery(caller)
        return None

    def _sign_in_refusal(self) -> Response | None:
        """Hold back who tries too often, and another site's form."""
        changes = self.request.method not in SAFE_METHODS
        if changes and not is_from_our_page(self.request, self.site.access.public_url):
            return refusals.cross_site()
        wait_s = self._attempts_wait_s()
        return refusals.too_often(wait_s) if wait_s else None

    async def _wrong_token(self) -> Response:
        wait_s = self._attempts_wait_s()
        if wait_s:
            return refusals.too_often(wait_s)
        detail = "bearer token"
        await self._record(entry_of(_UNKNOWN, self.address, "sign_in", "refused", detail=detail))
        return refusals.wrong_token()

    async def _forgery(self, caller: Caller) -> Response | None:
        """Refuse what another site's page may have made a browser send."""
        if not is_from_our_page(self.request, self.site.access.public_url):
            return refusals.cross_site()
        if caller.via == "local":
            return None
        given, self.receive = await given_token(self.request)
        held = carries(given, self.request.state.csrf_token)
        return None if held else refusals.no_csrf_token()

    async def _record(self, entry: AuditEntry) -> None:
        await run_in_threadpool(self.site.store.record_audit, entry)

    def _calls_wait_s(self, caller: Caller) -> float:
        policy = self.site.access
        if caller.via == "local":
            return 0.0
        key = f"{caller.via} {caller.key}"
        return self.memory.calls.wait_s(key, policy.calls_per_s, policy.calls_at_once)

    def _attempts_wait_s(self) -> float:
        per_minute = self.site.access.sign_ins_per_minute
        return self.memory.attempts.wait_s(self.address, per_minute / 60.0, per_minute)
