"""How the gate says no: one sentence, as a problem document, and never more."""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.responses import RedirectResponse

from service.api.problems import problem

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from service.access.caller import Caller, Role

SIGN_IN = "/sign-in"
NOBODY_YET = (
    "nobody can sign in yet: make a first token where Osteon runs, with "
    "`osteon tokens create NAME --role admin`"
)


def not_signed_in(request: Request, *, is_set_up: bool) -> Response:
    """Ask who somebody is: a browser by the page for it, a program by status 401."""
    if _wants_page(request):
        back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"{SIGN_IN}?back={quote(back, safe='')}", HTTPStatus.SEE_OTHER)
    say = "send a token (Authorization: Bearer ...), or sign in at /sign-in"
    answer = _unauthorised("NOT_SIGNED_IN", say if is_set_up else NOBODY_YET)
    if request.headers.get("hx-request") == "true":
        answer.headers["HX-Redirect"] = SIGN_IN  # the session of an open page ended
    return answer


def wrong_token() -> Response:
    """Refuse a token that is unknown, expired or revoked; which of them is not said."""
    answer = _unauthorised("TOKEN_NOT_VALID", "this token is not known, or it ended")
    answer.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
    return answer


def wrong_role(caller: Caller, needed: Role) -> Response:
    """Refuse what another role may do."""
    detail = f"this needs the role {needed}, and yours is {caller.role}"
    return problem(HTTPStatus.FORBIDDEN, "ROLE", detail)


def no_csrf_token() -> Response:
    """Refuse a change that does not come from a page of this session."""
    detail = "this must come from a page of ours: load it again and repeat what you did"
    return problem(HTTPStatus.FORBIDDEN, "CSRF", detail)


def cross_site() -> Response:
    """Refuse another site's form."""
    return problem(HTTPStatus.FORBIDDEN, "CROSS_SITE", "this can be changed from its own page only")


def too_often(wait_s: float) -> Response:
    """Ask to come later."""
    seconds = max(1, math.ceil(wait_s))
    answer = problem(
        HTTPStatus.TOO_MANY_REQUESTS, "TOO_OFTEN", f"too many requests: try again in {seconds} s"
    )
    answer.headers["Retry-After"] = str(seconds)
    return answer


def _unauthorised(code: str, detail: str) -> Response:
    answer = problem(HTTPStatus.UNAUTHORIZED, code, detail)
    answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def _wants_page(request: Request) -> bool:
    """Tell a person who opens an address from a program, and from a script of an open page."""
    return (
        request.method in ("GET", "HEAD")
        and "text/html" in request.headers.get("accept", "")
        and "hx-request" not in request.headers
    )
