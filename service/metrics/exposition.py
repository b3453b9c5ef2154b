"""How metrics are read: as text, by HTTP."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Gauge,
    ProcessCollector,
    generate_latest,
    start_http_server,
)

if TYPE_CHECKING:
    from collections.abc import Callable

MEDIA_TYPE = CONTENT_TYPE_LATEST
_LOG = logging.getLogger(__name__)


def make_registry(process: str, version: str, git_commit: str) -> CollectorRegistry:
    """Return a registry of one process that says what runs there and what it uses."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    labels = {"process": process, "version": version, "git": git_commit[:12]}
    info = Gauge(
        "osteon_process_info", "Which software runs here.", list(labels), registry=registry
    )
    info.labels(**labels).set(1)
    return registry


def render(*registries: CollectorRegistry) -> bytes:
    """Return the metrics of all as text; no family is in two of them."""
    return b"".join(generate_latest(registry) for registry in registries)


def serve(registry: CollectorRegistry, host: str, port: int) -> Callable[[], None]:
    """Answer GET in a thread until the returned function is called.

    A port that is taken is logged and nothing else: images are received and measured without it.
    """
    try:
        server, thread = start_http_server(port, host, registry)
    except OSError as error:
        text = "metrics cannot be served on %s:%s: %s"
        told = {"event": "metrics_not_served", "code": "PORT_UNAVAILABLE"}
        _LOG.error(text, host, port, error.strerror, extra=told)
        return lambda: None

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return stop
