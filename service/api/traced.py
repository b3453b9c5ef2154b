"""The trace that a request belongs to: its id stands in its log lines and in problem details."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service import logs

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_JOB = re.compile(r"/(?:jobs|runs)/([0-9a-f]{32})(?:/|$)")
# W3C Trace Context: version, trace id, parent id, flags; all zeros is no id.
_TRACEPARENT = re.compile(rb"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?")


@dataclass(frozen=True)
class TracedRequests:
    """ASGI middleware that binds a trace id: the job's, the caller's, or a new one."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        # Not unbound at the end: what logs an error stands outside. Every request has its context.
        logs.bind_trace(trace_of(scope["path"], dict(scope["headers"]).get(b"traceparent", b"")))
        await self.app(scope, receive, send)


def trace_of(path: str, traceparent: bytes) -> str:
    """Return 32 hexadecimal digits: of a job its id, which is the id of its trace."""
    job = _JOB.search(path)
    if job is not None:
        return job[1]
    given = _TRACEPARENT.fullmatch(traceparent)
    return uuid.uuid4().hex if given is None else given[1].decode("ascii")
