"""D-28: a study that kills, hangs or starves its process ends alone, after three attempts at most.

Two workers share the store with sound studies. The clock is scaled: what waits ten seconds between
attempts waits half of one here.
"""

import sys
import threading
import time
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
    """Every job after two workers had them all, and the longest that a sound one took."""
    place = tmp_path_factory.mktemp("poison")
    url = f"sqlite:///{place / 'store.sqlite'}"
    upgrade(url)
    told = {
        "store_url": url,
        "spool_dir": place / "spool",
        "results_dir": place / "results",
        "anatomy_model": place / "model",
        "build": Build("0.1.0", "abc123", "2.25.1", "0" * 64),
        "memory_gib": 2.0,
        "poll_s": 0.1,
        "crash_delay_s": DELAY_S,
    }
    with JobStore(url) as store:
        begun = time.monotonic()
        queued(store, study_uid("sound", 0))
        work(store, WorkerConfiguration(**told), 1, 120.0)
        timeout_s = 2.0 + 3.0 * (time.monotonic() - begun)
        for number in (1, 2):
            for kind in KINDS if number == 1 else ("sound",):
                queued(store, study_uid(kind, number))
        work(store, WorkerConfiguration(**told, timeout_s=timeout_s), 2, 60.0 + 4 * timeout_s)
        yield {job.study_uid: (job, store.events(job.id)) for job in store.jobs()}


def work(store, configuration, workers, seconds):
    """Let so many workers run until no job is left."""
    stop = threading.Event()
    threads = [
        threading.Thread(
            target=Supervisor(store, configuration, f"worker {number}", COMMAND).run,
            args=(stop,),
        )
        for number in range(workers)
    ]
    for thread in threads:
        thread.start()
    try:
        wait_for(lambda: not left(store), seconds)
    finally:
        stop.set()
        for thread in threads:
            thread.join(30.0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_study_has_the_fate_of_its_kind(ended, kind):
    job, events = ended[study_uid(kind, 1)]
    attempts = sum(event.kind is EventKind.CLAIMED for event in events)
    code = job.failure.code if job.failure else None
    assert (job.state, code, attempts) == FATES[kind]


@pytest.mark.parametrize("kind", ["segv", "killed", "loop"])
def test_attempts_are_apart(ended, kind):
    _, events = ended[study_uid(kind, 1)]
    retried = [event.at for event in events if event.kind is EventKind.RETRY]
    claimed = [event.at for event in events if event.kind is EventKind.CLAIMED]
    for died, again in zip(retried, claimed[1:], strict=True):
        assert (again - died).total_seconds() >= DELAY_S
    assert all(later > earlier for earlier, later in pairwise(claimed))
    assert WorkerConfiguration.crash_delay_s == 10.0


def test_the_others_are_done(ended):
    sound = [job for uid, (job, _) in ended.items() if uid.startswith(study_uid("sound", 0)[:-1])]
    assert [job.state for job in sound] == [JobState.DELIVERED] * 3
    assert {job.attempt for job in sound} == {1}


def test_nothing_is_left_behind(ended):
    assert len(ended) == len(KINDS) + 2
    running = [" ".join(p.cmdline()) for p in psutil.Process().children(recursive=True)]
    assert not [line for line in running if "poisoned_child" in line]
