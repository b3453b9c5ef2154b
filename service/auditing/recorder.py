"""Writes entries of the audit behind the back of who tells them, which never waits for a database.

While the database is away entries wait in memory, so many and no more; a process that is killed
loses those that it had not written, and one that ends as it should writes them first.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jobs.audit import AuditEntry
from jobs.errors import JobsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jobs.store import JobStore

_LOG = logging.getLogger(__name__)
MOST = 10_000
_AGAIN_S = 1.0
_AT_END_S = 5.0


def _nothing() -> None:
    """Have nothing to do beside."""


@dataclass
class Recorder:
    """Takes entries from any thread and writes them in one."""

    store: JobStore
    beside: Callable[[], None] = _nothing
    """Is called about once a second, in the same thread."""
    _waiting: queue.Queue[AuditEntry] = field(default_factory=lambda: queue.Queue(MOST))
    _held: AuditEntry | None = None
    """What the database did not take yet."""
    _lost: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def tell(self, entry: AuditEntry) -> None:
        """Have an entry written soon; never waits and never raises."""
        try:
            self._waiting.put_nowait(entry)
        except queue.Full:
            with self._lock:
                self._lost += 1

    def run(self, stop: threading.Event) -> None:
        """Write until `stop` is set, then what still waits, for a few seconds."""
        while not stop.is_set():
            self.beside()
            if not self._write_next(_AGAIN_S):
                stop.wait(_AGAIN_S)
        until_s = time.monotonic() + _AT_END_S
        while self._rest() and time.monotonic() < until_s:
            if not self._write_next(0.0):
                time.sleep(_AGAIN_S / 10)
        if self._rest():
            text = "%d entries of the audit were lost"
            _LOG.error(text, self._rest(), extra={"event": "audit_lost"})

    def _rest(self) -> int:
        return self._waiting.qsize() + (self._held is not None) + self._lost

    def _write_next(self, wait_s: float) -> bool:
        """Write one entry if there is one within the time; False: the database is away."""
        entry = self._held or self._next(wait_s)
        if entry is None:
            return True
        try:
            self.store.record_audit(entry)
        except JobsError as error:
            if self._held is None:
                told = {"event": "audit_waits", "code": error.code}
                _LOG.warning("the audit waits for the database", extra=told)
            self._held = entry
            return False
        self._held = None
        return True

    def _next(self, wait_s: float) -> AuditEntry | None:
        """Return what is to be written; how many found no room is an entry itself."""
        with self._lock:
            lost, self._lost = self._lost, 0
        if lost:
            _LOG.error("%d entries of the audit were lost", lost, extra={"event": "audit_lost"})
            detail = f"{lost} entries were lost: the database was away for too long"
            return AuditEntry("change", "failed", "osteon", "node", "this host", detail=detail)
        try:
            return self._waiting.get(timeout=wait_s) if wait_s else self._waiting.get_nowait()
        except queue.Empty:
            return None


@contextlib.contextmanager
def recording(recorder: Recorder) -> Iterator[Recorder]:
    """Write while the block runs, and at its end what still waits."""
    stop = threading.Event()
    thread = threading.Thread(target=recorder.run, args=(stop,), name="audit", daemon=True)
    thread.start()
    try:
        yield recorder
    finally:
        stop.set()
        thread.join(2 * _AT_END_S)
