"""Who a request comes from: a token in its header, a session in its cookie, or this host itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from jobs import sessions, tokens
from service.access import cookies
from service.access.caller import LOCAL, Caller, Role
from service.access.credentials import derived, digest_of
from service.access.locality import is_local

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection

    from jobs.store import JobStore
    from service.access.policy import Policy

_CSRF = "csrf"


@dataclass(frozen=True)
class Found:
    """What a request says of who makes it."""

    caller: Caller | None = None
    csrf_token: str = ""
    """What a form of this session must carry; empty without a session."""
    is_wrong: bool = False
    """A token was given, and it is none of ours, or ended."""
    is_set_up: bool = True
    """Somebody can sign in, or once could."""


def identify(request: HTTPConnection, store: JobStore, policy: Policy) -> Found:
    """Find who makes a request; asks the database.

    Raises:
        StoreUnavailable: it does not answer.

    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme:
        return _by_token(store, token.strip()) if scheme.lower() == "bearer" else Found()
    cookie = cookies.read(request, policy, cookies.SESSION)
    found = _by_session(store, cookie, policy) if cookie else None
    if found is not None:
        return found
    if is_set_up(store, policy):
        return Found()
    return Found(LOCAL if is_local(request) else None, is_set_up=False)


def is_set_up(store: JobStore, policy: Policy) -> bool:
    """Tell whether anybody can sign in, or once could.

    From then on loopback is closed too: a reverse proxy on this host looks like one who sits at it.
    """
    return policy.provider is not None or store.has_tokens()


def _by_token(store: JobStore, given: str) -> Found:
    token = store.token_of(digest_of(given))
    if token is None:
        return Found(is_wrong=True)
    if tokens.is_due(token, datetime.now(UTC)):
        store.token_used(token)
    return Found(Caller(token.name, Role.named(token.role), "token", token.id))


def _by_session(store: JobStore, cookie: str, policy: Policy) -> Found | None:
    digest = digest_of(cookie)
    session = store.session_of(digest, policy.idle_s)
    if session is None:
        return None
    if sessions.is_due(session, datetime.now(UTC)):
        store.session_seen(digest)
    caller = Caller(session.name, Role.named(session.role), "session", digest[:16])
    return Found(caller, csrf_token(cookie))


def csrf_token(cookie: str) -> str:
    """Return the token of a session's forms: made from the cookie, which no other site can read."""
    return derived(cookie, _CSRF)
