"""D-28: a study that kills, hangs or starves its process ends alone, after three attempts at most.

Two workers share the store with sound studies. The clock is scaled: what waits ten seconds between
attempts waits half of one here.
"""

import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import psutil
import pytest

from jobs.job import EventKind, JobState
from jobs.migrate import upgrade
from jobs.store import JobStore
from jobs.study import Instance, input_digest
from tests.chaos.poisoned_child import KINDS, study_uid
from workers.configuration import Build, WorkerConfiguration
from workers.supervisor import Supervisor

COMMAND = (sys.executable, "-m", "tests.chaos.poisoned_child")
DELAY_S = 0.5
HANGS_S = 3.0
OPEN = (JobState.QUEUED, JobState.RUNNING)
FATES = {
    "sound": (JobState.DELIVERED, None, 1),
    "segv": (JobState.FAILED, "POISONED", 2),
    "killed": (JobState.FAILED, "WORKER_DIED", 3),
    "loop": (JobState.FAILED, "WORKER_DIED", 3),
    "memory": (JobState.HELD, "OUT_OF_MEMORY", 1),
    "forks": (JobState.FAILED, "INTERNAL", 1),
}


def queued(store, uid):
    """Queue a job for a study whose only file is gone: nothing has to be read."""
    instance = Instance(
        sop_instance_uid=f"{uid}.1",
        study_uid=uid,
        series_uid=f"{uid}.2",
        sop_class_uid="1.2.840.10008.5.1.4.1.1.4",
        transfer_syntax_uid="1.2.840.10008.1.2.1",
        sha256="a" * 64,
        size=10,
        path="studies/aa/bb.dcm",
        received_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    store.record_instances([instance])
    return store.open_revision(uid, input_digest([instance]))


def left(store):
    return [job for job in store.jobs() if job.state in OPEN]


def wait_for(condition, seconds):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the studies do not come to an end"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """Every job with its events, after two workers had them all."""
    place = tmp_path_factory.mktemp("poison")
    url = f"sqlite:///{place / 'store.sqlite'}"
    upgrade(url)
    patient = WorkerConfiguration(
        store_url=url,
        spool_dir=place / "spool",
        results_dir=place / "results",
        anatomy_model=place / "model",
        build=Build("0.1.0", "abc123", "2.25.1", "0" * 64),
        memory_gib=2.0,
        poll_s=0.1,
        crash_delay_s=DELAY_S,
    )
    with JobStore(url) as store:
        for kind in (*KINDS, "sound"):
            if kind != "loop":
                queued(store, study_uid(kind, len(store.jobs())))
        workers = [Supervisor(store, patient, f"worker {n}", COMMAND) for n in (1, 2)]
        at_once(store, [worker.run for worker in workers])
        # Only the one that hangs may be in a hurry: a busy machine is slow with all others.
        hurried = Supervisor(store, replace(patient, timeout_s=HANGS_S), "hurried", COMMAND)
        hanging = queued(store, study_uid("loop", 0)).id
        sound = queued(store, study_uid("sound", 99)).id
        at_once(
            store,
            [
                lambda stop: until_ended(store, hurried, hanging, stop),
                lambda stop: until_ended(store, workers[0], sound, stop),
            ],
        )
        yield {job.study_uid: (job, store.events(job.id)) for job in store.jobs()}


def until_ended(store, worker, job_id, stop):
    """Take one job again and again, as a ring does."""
    while store.job(job_id).state in OPEN and not stop.wait(0.1):
        worker.take(job_id, stop)


def at_once(store, works):
    """Let workers run side by side until no job is left."""
    stop = threading.Event()
    threads = [threading.Thread(target=work, args=(stop,)) for work in works]
    for thread in threads:
        thread.start()
    try:
        wait_for(lambda: not left(store), 400.0)
    finally:
        stop.set()
        for thread in threads:
            thread.join(30.0)


def of_kind(ended, kind):
    return [found for uid, found in ended.items() if uid.startswith(study_uid(kind, 0)[:-1])]


@pytest.mark.parametrize("kind", KINDS)
def test_a_study_has_the_fate_of_its_kind(ended, kind):
    for job, events in of_kind(ended, kind):
        attempts = sum(event.kind is EventKind.CLAIMED for event in events)
        code = job.failure.code if job.failure else None
        assert (job.state, code, attempts) == FATES[kind]


@pytest.mark.parametrize("kind", ["segv", "killed", "loop"])
def test_attempts_are_apart(ended, kind):
    ((_, events),) = of_kind(ended, kind)
    retried = [event.at for event in events if event.kind is EventKind.RETRY]
    claimed = [event.at for event in events if event.kind is EventKind.CLAIMED]
    for died, again in zip(retried, claimed[1:], strict=True):
        assert (again - died).total_seconds() >= DELAY_S
    assert all(later > earlier for earlier, later in pairwise(claimed))
    assert WorkerConfiguration.crash_delay_s == 10.0


def test_the_others_are_done(ended):
    sound = [job for job, _ in of_kind(ended, "sound")]
    assert [job.state for job in sound] == [JobState.DELIVERED] * 3


def test_nothing_is_left_behind(ended):
    assert len(ended) == len(KINDS) + 2
    running = [" ".join(p.cmdline()) for p in psutil.Process().children(recursive=True)]
    assert not [line for line in running if "poisoned_child" in line]
