"""Requests to the REST interface and the console, by route."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Histogram

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    Scope = MutableMapping[str, Any]
    Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
    Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
    App = Callable[[Scope, Receive, Send], Awaitable[None]]

# OpenTelemetry's semantic conventions: http.server.request.duration.
_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
_LABELS = ("http_request_method", "http_route", "http_response_status_code")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
NO_ROUTE = "other"


class RequestTimes:
    """One histogram; routes are templates, so that no identifier is a label."""

    def __init__(self) -> None:
        """Have a registry of its own."""
        self.registry = CollectorRegistry()
        self._seconds = Histogram(
            "http_server_request_duration_seconds",
            "Seconds from a request to the end of its answer.",
            _LABELS,
            buckets=_BUCKETS_S,
            registry=self.registry,
        )

    def observe(self, scope: Scope, status: int, seconds: float) -> None:
        """Count one request that was answered with `status`."""
        method = scope["method"] if scope["method"] in _METHODS else "_OTHER"
        route = getattr(scope.get("route"), "path", NO_ROUTE)
        self._seconds.labels(method, route, str(status)).observe(seconds)


class TimedRequests:
    """ASGI middleware: the outermost, so that what it measures is what a client waits."""

    def __init__(self, app: App, times: RequestTimes) -> None:
        """Wrap `app`."""
        self._app = app
        self._times = times

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request and count it; one that was not answered counts as 500."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began_s = time.monotonic()
        status = 500

        async def watch(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, watch)
        finally:
            self._times.observe(scope, status, time.monotonic() - began_s)
