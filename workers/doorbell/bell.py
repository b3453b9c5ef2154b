"""The sender's side: ring for a job that is committed."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from jobs.errors import JobsError
from jobs.fault_points import fault
from workers.doorbell.app import QUEUES, TASK, queue_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from celery import Celery

    from jobs.store import JobStore

_LOG = logging.getLogger(__name__)
_BROKER_AWAY = (OperationalError, RedisError, OSError)
_REST_S = 10.0


class CeleryQueue:
    """A `jobs.queue.JobQueue` that rings through Redis. Threads may share one."""

    def __init__(self, app: Celery, store: JobStore) -> None:
        """Use an application of `make_app`; the store says how urgent a job is."""
        self.app = app
        self._store = store
        self._resting_until = 0.0

    def submit(self, job_id: str) -> None:
        """See `JobQueue`. Never raises for a broker that is away: the reconciler rings again."""
        try:
            priority = self._store.job(job_id).priority
        except JobsError as error:
            told = {"event": "not_rung", "code": error.code, "job_id": job_id}
            _LOG.warning("no ring: %s", error.code, extra=told)
            return
        self.ring(job_id, priority)

    def ring(self, job_id: str, priority: int) -> bool:
        """Ring once; False if the broker is away. After a failure it is left alone for 10 s."""
        if time.monotonic() < self._resting_until:
            return False
        fault("bell.rings")
        try:
            self.app.send_task(TASK, args=[job_id], queue=queue_of(priority), retry=False)
        except _BROKER_AWAY as error:
            self._resting_until = time.monotonic() + _REST_S
            text = "the broker is away (%s): workers find the job by themselves"
            told = {"event": "not_rung", "code": "BROKER_AWAY", "job_id": job_id}
            _LOG.warning(text, type(error).__name__, extra=told)
            return False
        fault("bell.rang")
        return True

    def waiting(self) -> Mapping[str, int] | None:
        """Return how many rings wait in each queue; None if the broker does not answer.

        Asked over a connection of its own, so that it says what the broker has, whatever state
        other connections are in.
        """
        try:
            with self.app.connection_for_read() as connection:
                channel = connection.default_channel
                # Not passive: kombu 5.7 asks for the key without its prefix then.
                return {name: channel.queue_declare(name).message_count for name in QUEUES}
        except _BROKER_AWAY:
            return None
