"""Errors as pages for people: the sentence and code of the problem document, in the frame.

Whoever asks for text/html (a browser that opens an address) gets a page; programs and htmx get
the document as it is.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fastapi import Request
from starlette.datastructures import Headers

from service.console.frame import render

if TYPE_CHECKING:
    from fastapi.responses import HTMLResponse
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_PROBLEM = "application/problem+json"
_OF_THE_BODY = frozenset({"content-type", "content-length"})


@dataclass(frozen=True)
class ProblemPages:
    """ASGI middleware: a problem document on its way to a browser becomes a page."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or not wants_page(Request(scope)):
            await self.app(scope, receive, send)
            return
        await self.app(scope, receive, _Turned(Request(scope), send).send)


@dataclass
class _Turned:
    """The way of one answer out: held back while it is a problem document."""

    request: Request
    out: Send
    _start: Message | None = None
    _body: bytearray = field(default_factory=bytearray)

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_problem(message):
            self._start = message
        elif self._start is None:
            await self.out(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body"):
                await self._send_page(self._start)

    async def _send_page(self, start: Message) -> None:
        page = problem_page(self.request, json.loads(self._body))
        kept = [(n, v) for n, v in start["headers"] if n.decode("latin-1") not in _OF_THE_BODY]
        headers = [*kept, *page.raw_headers]
        await self.out({**start, "headers": headers})
        await self.out({"type": "http.response.body", "body": page.body})


def wants_page(request: Request) -> bool:
    """Tell whether a browser opens an address, and no program asks."""
    return "text/html" in request.headers.get("accept", "")


def problem_page(request: Request, document: dict[str, object]) -> HTMLResponse:
    """Return the page of a problem document."""
    return render(request, "problem.html", {"problem": document}, int(str(document["status"])))


def as_asked(request: Request, answer: Response) -> Response:
    """Return a problem document as it is, or its page, where no middleware stands around it."""
    if not wants_page(request):
        return answer
    page = problem_page(request, json.loads(bytes(answer.body)))
    for name, value in answer.headers.items():
        if name not in _OF_THE_BODY:
            page.headers[name] = value
    return page


def _is_problem(start: Message) -> bool:
    return Headers(raw=start["headers"]).get("content-type", "").startswith(_PROBLEM)
