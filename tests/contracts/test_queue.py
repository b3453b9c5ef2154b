"""What every queue has to do for a job: the same body over both queues and both databases."""

import os
import signal
import subprocess
import sys
import time
from itertools import count, product
from pathlib import Path

import pytest

from jobs.job import EventKind, JobState, Priority, Stage
from jobs.migrate import upgrade
from jobs.store import JobStore
from jobs.study import input_digest
from tests.servers import Redis
from workers.doorbell.app import Broker, make_app
from workers.doorbell.bell import CeleryQueue
from workers.queue import StoreQueue

ROOT = Path(__file__).parents[2]
_NUMBERS = count(1)
LIMIT_S = 180


def until(condition):
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    message = "it did not happen in time"
    raise AssertionError(message)


class Works:
    """A database, a queue, and a worker process at them."""

    def __init__(self, store, database, queue, broker):
        self.store = store
        self.queue = queue
        self._command = [sys.executable, str(Path(__file__).with_name("queue_worker.py"))]
        self._command += [database, broker]
        self._worker = None

    def start(self):
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self._worker = subprocess.Popen(self._command, env=environment)

    def end(self, number):
        self._worker.send_signal(number)
        status = self._worker.wait(LIMIT_S)
        self._worker = None
        return status

    def open_job(self, arrivals, study_uid, **options):
        instances = arrivals(study_uid)
        self.store.record_instances(instances)
        return self.store.open_revision(study_uid, input_digest(instances), **options)

    def delivered(self, job):
        return until(lambda: self.store.job(job.id).state is JobState.DELIVERED)

    def at_work(self, job):
        return until(lambda: self.store.job(job.id).stage is Stage.READ)

    def kinds(self, job):
        return [event.kind for event in self.store.events(job.id)]


@pytest.fixture(
    scope="module",
    params=list(product(("sqlite", "postgresql"), ("embedded", "celery"))),
    ids="-".join,
)
def works(request, tmp_path_factory):
    kind, backend = request.param
    folder = tmp_path_factory.mktemp("works")
    if kind == "sqlite":
        database = f"sqlite:///{folder / 'osteon.sqlite'}"
    else:
        database = request.getfixturevalue("postgresql_server").create(f"queue_{next(_NUMBERS)}")
    upgrade(database)
    redis = Redis(folder / "redis") if backend == "celery" else None
    broker = redis.address.replace("{password}", "s%2Fecret%401") if redis else "embedded"
    with JobStore(database) as store:
        queue = CeleryQueue(make_app(Broker(broker)), store) if redis else StoreQueue()
        works = Works(store, database, queue, broker)
        works.start()
        yield works
        works.end(signal.SIGKILL)
    if redis:
        redis.kill()


def test_a_job_that_was_rung_for_is_run_once_however_often_it_rings(works, arrivals):
    job = works.open_job(arrivals, "1.1.1")
    for _ in range(3):
        works.queue.submit(job.id)
    works.queue.submit("0" * 32)  # nobody knows it
    works.delivered(job)
    works.queue.submit(job.id)  # late
    other = works.open_job(arrivals, "1.1.2")
    works.queue.submit(other.id)
    works.delivered(other)
    assert works.kinds(job).count(EventKind.CLAIMED) == 1
    assert works.store.job(job.id).attempt == 1


def test_a_job_whose_ring_was_lost_is_run(works, arrivals):
    works.delivered(works.open_job(arrivals, "1.2.1"))


def test_what_is_urgent_runs_first_and_what_is_measured_again_last(works, arrivals):
    works.queue.submit(works.open_job(arrivals, "1.9.1").id)  # the worker is busy
    order = (Priority.REPROCESS, Priority.ROUTINE, Priority.URGENT)
    jobs = {p: works.open_job(arrivals, f"1.3.{-int(p) + 50}", priority=int(p)) for p in order}
    for job in jobs.values():
        works.queue.submit(job.id)
    for job in jobs.values():
        works.delivered(job)
    claimed = {p: works.store.events(job.id)[1].at for p, job in jobs.items()}
    assert claimed[Priority.URGENT] < claimed[Priority.ROUTINE] < claimed[Priority.REPROCESS]


def test_a_retry_comes_when_its_delay_is_over(works, arrivals):
    job = works.open_job(arrivals, "1.8.1")
    works.queue.submit(job.id)
    works.delivered(job)
    events = works.store.events(job.id)
    retried, claimed = events[2], events[3]
    assert (retried.kind, claimed.kind) == (EventKind.RETRY, EventKind.CLAIMED)
    assert (claimed.at - retried.at).total_seconds() >= 1.0


def test_a_worker_that_is_told_to_stop_hands_its_job_back(works, arrivals):
    job = works.open_job(arrivals, "1.9.2")
    works.queue.submit(job.id)
    works.at_work(job)
    assert works.end(signal.SIGTERM) == 0
    handed_back = works.store.job(job.id)
    assert (handed_back.state, handed_back.attempt) == (JobState.QUEUED, 0)
    assert works.kinds(job)[-1] is EventKind.HANDED_BACK
    works.start()
    works.delivered(job)


def test_a_worker_that_is_killed_loses_no_job(works, arrivals):
    job = works.open_job(arrivals, "1.9.3")
    works.queue.submit(job.id)
    works.at_work(job)
    works.end(signal.SIGKILL)
    works.start()
    works.delivered(job)
    assert works.kinds(job).count(EventKind.LEASE_EXPIRED) == 1
    assert works.store.job(job.id).attempt == 2
