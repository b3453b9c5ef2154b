"""The one door of the web server: nothing passes that did not say who it is (closed by default).

What the rules of `service.access.rules` leave open passes. For everything else the caller is found,
held against how often they may come, against the role that is needed and, with a session, against
forged requests; then the request goes on with `request.state.caller`, and what it did is recorded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from starlette.requests import Request

from jobs.errors import JobsError
from service.access.visit import Memory, Visit
from service.api.problems import of_store

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send


@dataclass(frozen=True)
class Gate:
    """ASGI middleware."""

    app: ASGIApp
    memory: Memory = field(default_factory=Memory)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or hand it on."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":  # a websocket: Osteon has none
            await send({"type": "websocket.close", "code": 1008})
            return
        request = Request(scope, receive)
        visit = Visit(request, request.app.state.site, self.memory)
        try:
            refusal = await visit.refusal()
        except JobsError as error:
            refusal = of_store(error)
        if refusal is not None:
            await refusal(scope, receive, send)
        else:
            await self.app(scope, visit.receive, visit.recording(send).send)
