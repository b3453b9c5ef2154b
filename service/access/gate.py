"""The one door of the web server: nothing passes that did not say who it is (closed by default)."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.requests import Request

from service.access.caller import LOCAL, Caller, Role
from service.access.locality import is_local
from service.access.rules import role_for
from service.api.problems import problem

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send


@dataclass(frozen=True)
class Gate:
    """ASGI middleware: finds the caller, holds the role against the rules, and says no."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or hand it on with `request.state.caller`."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":  # a websocket: Osteon has none
            await send({"type": "websocket.close", "code": 1008})
            return
        request = Request(scope, receive)
        caller = LOCAL if is_local(request) else None
        request.state.caller = caller
        request.state.csrf_token = ""
        refusal = _refusal(caller, role_for(request.method, scope["path"], open_metrics=True))
        await (refusal or self.app)(scope, receive, send)


def _refusal(caller: Caller | None, needed: Role | None) -> Response | None:
    if needed is None:
        return None
    if caller is None:
        answer = problem(HTTPStatus.UNAUTHORIZED, "NOT_SIGNED_IN", "say who you are")
        answer.headers["WWW-Authenticate"] = "Bearer"
        return answer
    if not caller.may(needed):
        detail = f"this needs the role {needed}, yours is {caller.role}"
        return problem(HTTPStatus.FORBIDDEN, "ROLE", detail)
    return None
