"""The cookies of signing in: for this host only, out of reach of scripts and of other sites."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection
    from starlette.responses import Response

    from service.access.policy import Policy

SESSION = "osteon_session"
SIGNING_IN = "osteon_signing_in"
_SIGNING_IN_S = 600


def is_https(request: HTTPConnection, policy: Policy) -> bool:
    """Tell whether the browser speaks https to us, or to the proxy before us."""
    return policy.is_https or request.url.scheme == "https"


def read(request: HTTPConnection, policy: Policy, name: str) -> str:
    """Return what a cookie of ours holds, or nothing."""
    return request.cookies.get(_named(request, policy, name), "")[:200]


def write(
    response: Response, request: HTTPConnection, policy: Policy, name: str, value: str
) -> None:
    """Put a cookie: HttpOnly, SameSite=Lax, with https Secure and of this very host (__Host-).

    Lax, and not Strict, because the way back from an OIDC provider is a link from another site.
    """
    response.set_cookie(
        _named(request, policy, name),
        value,
        max_age=_SIGNING_IN_S if name == SIGNING_IN else None,
        httponly=True,
        secure=is_https(request, policy),
        samesite="lax",
    )


def remove(response: Response, request: HTTPConnection, policy: Policy, name: str) -> None:
    """Let the browser forget a cookie."""
    response.delete_cookie(
        _named(request, policy, name),
        httponly=True,
        secure=is_https(request, policy),
        samesite="lax",
    )


def _named(request: HTTPConnection, policy: Policy, name: str) -> str:
    """Return the name in the browser, which takes __Host- with Secure only and from us only."""
    return f"__Host-{name}" if is_https(request, policy) else name
