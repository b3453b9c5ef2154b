"""Rings again for jobs whose ring was lost: what the store says is due, the queue must know.

Rings get lost: Redis is emptied, a worker dies between taking a ring and claiming its job, a node
dies between commit and ring. Jobs also become due without anybody there to ring, when a retry's
delay is over or a lease ran out. Every worker runs a reconciler; two that ring for one job do no
harm.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jobs.errors import StoreUnavailable
from workers.doorbell.app import queue_of

if TYPE_CHECKING:
    import threading
    from collections.abc import Sequence

    from jobs.job import Job
    from jobs.store import JobStore
    from workers.doorbell.bell import CeleryQueue

_LOG = logging.getLogger(__name__)


@dataclass
class Reconciler:
    """Compares store and queue every `interval_s` seconds."""

    store: JobStore
    bell: CeleryQueue
    interval_s: float
    _missed: frozenset[str] = frozenset()
    """Jobs that seemed to have no ring at the last look."""

    def run(self, stop: threading.Event) -> None:
        """Look until `stop` is set."""
        while not stop.wait(self.interval_s):
            self.look()

    def look(self) -> int:
        """Ring for jobs whose ring was missed at two looks in a row; return how many rang.

        One look is not enough: a ring may just have been taken and its job not be claimed yet.
        Rings that wait for jobs which are done already are taken and dropped, so a queue never
        holds more than twice as many rings as jobs are due.
        """
        try:
            due = self.store.due()
        except StoreUnavailable as error:
            told = {"event": "store_away", "code": error.code}
            _LOG.warning("nothing is reconciled: %s", error, extra=told)
            return 0
        missed = self._without_ring(due)
        rung = sum(self.bell.ring(j.id, j.priority) for j in missed if j.id in self._missed)
        self._missed = frozenset(job.id for job in missed)
        if rung:
            _LOG.info("rang again for %d jobs", rung, extra={"event": "rung_again"})
        return rung

    def _without_ring(self, due: Sequence[Job]) -> list[Job]:
        """Return the due jobs of every queue in which fewer rings wait than jobs are due."""
        waiting = self.bell.waiting() if due else None
        if waiting is None:
            return []
        queues: dict[str, list[Job]] = defaultdict(list)
        for job in due:
            queues[queue_of(job.priority)].append(job)
        return [job for name, jobs in queues.items() if waiting[name] < len(jobs) for job in jobs]
