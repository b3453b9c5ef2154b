"""The hearing side: a Celery worker whose one task claims the job that was rung for and runs it.

The pool is of threads, because a thread only watches over a child process, and because it lets
this process hear signals, keep its connection and hand its jobs back while they run.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from celery import signals
from celery.bootsteps import StartStopStep
from celery.exceptions import WorkerShutdown
from click.exceptions import UsageError

from workers.doorbell.app import TASK
from workers.doorbell.reconciler import Reconciler
from workers.doorbell.watch import Activity, ConsumptionWatch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from celery import Celery

    from workers.doorbell.bell import CeleryQueue
    from workers.supervisor import Supervisor

_CELERY = (
    "--quiet",
    "worker",
    "--pool=threads",
    "--concurrency=1",
    "--loglevel=WARNING",
    "--without-gossip",  # workers have nothing to say to each other
    "--without-mingle",  # and need not wait for each other at the start (kombu#2582)
    "--without-heartbeat",
)


class UnusableOptions(Exception):  # noqa: N818 - this names the condition
    """Celery does not know an option, or it would keep the worker from handing jobs back."""

    code = "CELERY_OPTIONS"


@dataclass(frozen=True)
class CeleryWorker:
    """Hears rings until it is told to stop."""

    app: Celery
    bell: CeleryQueue
    supervisor: Supervisor
    ring_again_s: float
    deaf_after_s: float
    stop: threading.Event = field(default_factory=threading.Event)
    """Set at SIGTERM; one that came before Celery listened to signals ends the worker too."""
    _activity: Activity = field(default_factory=Activity)

    def run(self, options: Sequence[str] = ()) -> int:
        """Work until SIGTERM or SIGINT, then hand running jobs back; return the exit status.

        `options` are those of `celery worker`, as `-c 2` or `-Q urgent`.

        Raises:
            UnusableOptions: one is unknown, or asks for another pool than threads.

        """
        self.app.task(name=TASK)(self._process)
        self.app.steps["worker"].add(self._companions())

        def hear(**_: object) -> None:
            self.stop.set()

        signals.worker_shutting_down.connect(hear, weak=False)
        signals.setup_logging.connect(_leave_logs_alone, weak=False)
        try:
            status = self.app.start(argv=[*_CELERY, *options])
        except UsageError as error:
            raise UnusableOptions(f"celery worker: {error.format_message()}") from error
        return 0 if self.stop.is_set() else int(status or 0)

    def _process(self, job_id: str) -> None:
        """Run the job that was rung for, if it is due: Celery's task."""
        with self._activity:
            handed_back = self.supervisor.take(job_id, self.stop)
        if handed_back:
            self.bell.submit(job_id)

    def _companions(self) -> type[StartStopStep]:
        """Return the step of Celery's start that runs reconciler and watch beside the worker."""
        ours = self

        class Companions(StartStopStep):  # type: ignore[misc]
            def __init__(self, worker: Any, **options: Any) -> None:  # noqa: ANN401 - Celery's
                if not worker.pool_cls.__module__.endswith(".thread"):
                    text = "the worker needs Celery's pool of threads: a job has its own process"
                    raise UnusableOptions(text)
                super().__init__(worker, **options)

            def start(self, worker: Any) -> None:  # noqa: ANN401
                if ours.stop.is_set():
                    raise WorkerShutdown(0)
                ours._accompany(int(worker.concurrency))

        return Companions

    def _accompany(self, places: int) -> None:
        reconciler = Reconciler(self.supervisor.store, self.bell, self.ring_again_s)
        watch = ConsumptionWatch(
            self._activity, self.bell.waiting, self._queues, places, self.deaf_after_s
        )
        for work in (reconciler.run, watch.run):
            threading.Thread(target=work, args=(self.stop,), daemon=True).start()

    def _queues(self) -> frozenset[str]:
        return frozenset(self.app.amqp.queues.consume_from)


def _leave_logs_alone(**_: object) -> None:
    """Celery configures no logger where somebody listens to this signal."""
