"""Whether the model server can be reached, asked when a worker is scraped."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from prometheus_client import Gauge

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

_ANSWERS_S = 1.0


def add_model_server(registry: CollectorRegistry, url: str) -> None:
    """Add a gauge that is 1 while something listens at `url` (host:port)."""
    text = "Whether something listens where the model server should."
    up = Gauge("osteon_worker_model_server_up", text, registry=registry)
    up.set_function(lambda: float(listens(url)))


def listens(url: str) -> bool:
    """Tell whether a connection to host:port comes about."""
    host, _, port = url.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _ANSWERS_S).close()
    except (OSError, ValueError):
        return False
    return True
