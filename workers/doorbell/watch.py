"""A worker that no longer consumes notices and leaves, so that whoever started it starts another.

A Celery worker can be alive and deaf (kombu#2492, celery#10302): it answers pings and takes
nothing. So consumption itself is watched: rings wait in this worker's queues, it has a free place,
and for a while it has taken none of them.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

_LOG = logging.getLogger(__name__)
EXIT_DEAF = 70  # EX_SOFTWARE of sysexits.h
_HAND_BACK_S = 20.0


@dataclass
class Activity:
    """How many rings this worker has taken, and how many it is at; a context is one of them."""

    taken: int = 0
    running: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> None:
        """Begin with one ring."""
        with self._lock:
            self.taken += 1
            self.running += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Be done with it."""
        with self._lock:
            self.running -= 1


@dataclass
class ConsumptionWatch:
    """Leaves when rings wait and none is taken for `limit_s` seconds."""

    activity: Activity
    waiting: Callable[[], Mapping[str, int] | None]
    """Rings by queue; None: the broker does not answer, and so nobody can consume."""
    queues: Callable[[], frozenset[str]]
    """What this worker consumes."""
    places: int
    """How many jobs it runs at once."""
    limit_s: float
    _since: tuple[int, float] | None = None

    def run(self, stop: threading.Event) -> None:
        """Look until `stop` is set, or end this process with status 70."""
        while not stop.wait(self.limit_s / 5):
            if self.is_deaf(time.monotonic()):
                self._leave(stop)

    def is_deaf(self, now_s: float) -> bool:
        """Tell whether rings have waited for `limit_s` with a free place and none was taken."""
        if not self._ought_to_take():
            self._since = None
            return False
        if self._since is None or self._since[0] != self.activity.taken:
            self._since = self.activity.taken, now_s
        return now_s - self._since[1] >= self.limit_s

    def _ought_to_take(self) -> bool:
        if self.activity.running >= self.places:
            return False
        waiting, mine = self.waiting(), self.queues()
        return waiting is not None and any(n for name, n in waiting.items() if name in mine)

    def _leave(self, stop: threading.Event) -> None:
        """Hand back what runs, then end: the deaf part may hold the main thread for ever."""
        text = "rings wait and this worker hears none of them: it leaves"
        _LOG.critical(text, extra={"event": "worker_deaf", "code": "WORKER_DEAF"})
        stop.set()
        until = time.monotonic() + _HAND_BACK_S
        while self.activity.running and time.monotonic() < until:
            time.sleep(0.1)
        os._exit(EXIT_DEAF)
