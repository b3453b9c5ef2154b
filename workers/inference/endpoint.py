"""Where a model server is, and how patient a study is with it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Endpoint:
    """Triton's gRPC port and the limits of one request."""

    url: str = "127.0.0.1:8001"
    """host:port."""
    shared_memory: bool = False
    """Pass slabs through /dev/shm; the server runs on this host as the same numeric user."""
    deadline_s: float = 120.0
    """For one slab, its time in the server's queue included."""
    in_flight: int = 2
    """Slabs of one study that are asked at once."""
    patience_s: float = 30.0
    """A study waits so long for a server that is away; then it goes back into the queue."""
