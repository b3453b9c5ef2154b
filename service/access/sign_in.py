"""The pages of signing in and out: by a token that is pasted, or at the hospital's provider."""

import base64
import functools
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from jobs.sessions import NewSession
from service.access import cookies
from service.access.caller import Caller, Role
from service.access.credentials import digest_of, make_secret
from service.access.entries import entry_of
from service.access.identify import is_set_up
from service.access.oidc import SignIn, end_session_address
from service.access.oidc_errors import ProviderAway, SignInFailed
from service.access.oidc_provider import ProviderClient
from service.access.policy import Provider
from service.access.refusals import NOBODY_YET
from service.api.site import Site, TheSite
from service.console.frame import render

router = APIRouter(include_in_schema=False)

Back = Annotated[str, Query(pattern=r"^/([^/\\].*)?$", max_length=2000)]
BackField = Annotated[str, Form(pattern=r"^/([^/\\].*)?$", max_length=2000)]
_LONGEST_BACK = 100
_UNKNOWN = Caller("unknown", Role.VIEWER)


@router.get("/sign-in", name="sign_in_page")
def sign_in_page(request: Request, site: TheSite, back: Back = "/") -> Response:
    """Show the ways to sign in."""
    return _page(request, site, back)


@router.post("/sign-in", name="sign_in_by_token")
def sign_in_by_token(
    request: Request,
    site: TheSite,
    token: Annotated[str, Form(max_length=200)],
    back: BackField = "/",
) -> Response:
    """Open a session with a token: it has the token's name and role, and ends with it."""
    found = site.store.token_of(digest_of(token.strip()))
    if found is None:
        _record(request, site, _UNKNOWN, "sign_in", "refused", "token at the console")
        say = "This token is not known, or it ended."
        return _page(request, site, back, say, HTTPStatus.UNAUTHORIZED)
    who = NewSession(found.name, found.role, site.access.longest_s, found.id)
    return _signed_in(request, site, who, back, f"token {found.id}")


@router.get("/sign-in/oidc", name="sign_in_begins")
def sign_in_begins(request: Request, site: TheSite, back: Back = "/") -> Response:
    """Send the browser to the provider."""
    provider, policy = site.access.provider, site.access
    if provider is None:
        return _page(request, site, back)
    secret = make_secret()
    try:
        address = SignIn(client_of(provider), policy.public_url, secret).begin()
    except SignInFailed as error:
        return _failed(request, site, back, error)
    answer = RedirectResponse(address, HTTPStatus.SEE_OTHER)
    cookies.write(answer, request, policy, cookies.SIGNING_IN, f"{secret}.{_packed(back)}")
    return answer


@router.get("/sign-in/callback", name="sign_in_callback")
def sign_in_callback(request: Request, site: TheSite) -> Response:
    """Take the provider's answer; open a session for who it proves to be."""
    provider, policy = site.access.provider, site.access
    if provider is None:
        return _page(request, site, "/")
    kept = cookies.read(request, policy, cookies.SIGNING_IN)
    secret, _, packed = kept.partition(".")
    back = _unpacked(packed)
    try:
        end = SignIn(client_of(provider), policy.public_url, secret).end
        person = end(dict(request.query_params))
    except SignInFailed as error:
        return _failed(request, site, back, error)
    who = NewSession(person.name[:200], str(person.role), policy.longest_s)
    answer = _signed_in(request, site, who, back, "provider")
    cookies.remove(answer, request, policy, cookies.SIGNING_IN)
    return answer


@router.post("/sign-out", name="sign_out")
def sign_out(request: Request, site: TheSite) -> Response:
    """End the session here; a link leads to where one signs out at the provider."""
    cookie = cookies.read(request, site.access, cookies.SESSION)
    if cookie:
        site.store.close_session(digest_of(cookie))
        _record(request, site, request.state.caller, "sign_out", "success", "")
    request.state.caller, request.state.csrf_token = None, ""
    say = "You are signed out."
    answer = _page(request, site, "/", say, leave=_provider_exit(site))
    cookies.remove(answer, request, site.access, cookies.SESSION)
    return answer


@functools.cache
def client_of(provider: Provider) -> ProviderClient:
    """Return the one client of a provider in this process: it keeps addresses and keys."""
    return ProviderClient(provider)


def _signed_in(
    request: Request, site: Site, who: NewSession, back: str, by: str
) -> RedirectResponse:
    """Open a new session, end the one that this browser had, and go back."""
    old, new = cookies.read(request, site.access, cookies.SESSION), make_secret()
    if old:
        site.store.close_session(digest_of(old))
    site.store.open_session(digest_of(new), who)
    caller = Caller(who.name, Role.named(who.role), "session")
    _record(request, site, caller, "sign_in", "success", by)
    answer = RedirectResponse(back, HTTPStatus.SEE_OTHER)
    cookies.write(answer, request, site.access, cookies.SESSION, new)
    return answer


def _failed(request: Request, site: Site, back: str, error: SignInFailed) -> Response:
    _record(request, site, _UNKNOWN, "sign_in", "refused", f"provider: {error.code}")
    away = isinstance(error, ProviderAway)
    status = HTTPStatus.SERVICE_UNAVAILABLE if away else HTTPStatus.UNAUTHORIZED
    return _page(request, site, back, f"Nobody is signed in: {error}.", status)


def _page(
    request: Request,
    site: Site,
    back: str,
    say: str = "",
    status: HTTPStatus = HTTPStatus.OK,
    leave: str = "",
) -> Response:
    provider = site.access.provider
    ready = is_set_up(site.store, site.access)
    context = {
        "back": back,
        "say": say,
        "leave": leave,
        "nobody_yet": "" if ready else NOBODY_YET,
        "provider": None if provider is None else provider.label,
    }
    return render(request, "sign_in.html", context, status)


def _provider_exit(site: Site) -> str:
    provider = site.access.provider
    if provider is None:
        return ""
    try:
        return end_session_address(client_of(provider), site.access.public_url)
    except SignInFailed:
        return ""  # one is signed out here all the same


def _record(
    request: Request, site: Site, caller: Caller, event: str, outcome: str, detail: str
) -> None:
    address = request.state.address
    site.store.record_audit(entry_of(caller, address, event, outcome, detail=detail))


def _packed(back: str) -> str:
    """Return an address of ours as a cookie can hold it; a long one leads home."""
    kept = back.encode() if len(back.encode()) <= _LONGEST_BACK else b"/"
    return base64.urlsafe_b64encode(kept).decode("ascii").rstrip("=")


def _unpacked(text: str) -> str:
    """Return the address; home where it is none of ours, as after somebody changed the cookie."""
    try:
        back = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except ValueError:
        return "/"
    return back if back.startswith("/") and back[1:2] not in ("/", "\\") else "/"
