"""Many at once, and killed in the middle: the same body over SQLite and PostgreSQL."""

import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from jobs import schema
from jobs.engine import make_engine
from jobs.errors import LeaseLost
from jobs.job import EventKind, JobState, Stage
from jobs.migrate import head, upgrade
from jobs.store import JobStore

THREADS = 8
JOBS = 40
KILLS = 3
INSTANCES = 20


def test_eight_threads_claim_forty_jobs_each_once(database, arrivals):
    with JobStore(database) as store:
        for n in range(JOBS):
            store.record_instances(arrivals(f"1.{n}"))
            store.open_revision(f"1.{n}", "d" * 64)
    start = threading.Barrier(THREADS)

    def take_all(number):
        taken = []
        with JobStore(database) as store:
            start.wait()
            while (job := store.claim(f"worker {number}", 60)) is not None:
                taken.append(job.id)
        return taken

    with ThreadPoolExecutor(THREADS) as pool:
        taken = [job for jobs in pool.map(take_all, range(THREADS)) for job in jobs]
    assert len(taken) == JOBS
    assert len(set(taken)) == JOBS


def test_threads_may_share_one_store(database, arrivals):
    with JobStore(database) as store:
        store.record_instances(arrivals("1.2"))
        store.open_revision("1.2", "d" * 64)
        job = store.claim("w", 60)

        def write(number):
            store.progress(job, number / 100)

        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(write, range(1, 41)))
        progress = [e for e in store.events(job.id) if e.kind is EventKind.PROGRESS]
        assert len(progress) == 40


def test_one_study_arriving_by_many_doors_is_counted_right(database, arrivals):
    everything = arrivals("1.2", 160)
    groups = [everything[start : start + 40] for start in range(0, 160, 20)]  # they overlap

    def record(group):
        with JobStore(database) as store:
            return store.record_instances(group)

    with ThreadPoolExecutor(len(groups)) as pool:
        assert sum(pool.map(record, groups)) == 160
    with JobStore(database) as store:
        assert store.study("1.2").n_instances == 160


def test_two_doors_close_a_study_once(database, arrivals):
    with JobStore(database) as store:
        store.record_instances(arrivals("1.2"))

    def close(_):
        with JobStore(database) as store:
            return store.open_revision("1.2", "d" * 64)

    with ThreadPoolExecutor(THREADS) as pool:
        jobs = [job for job in pool.map(close, range(THREADS)) if job is not None]
    assert len(jobs) == 1


def test_the_database_tells_the_time_when_no_test_does(database, arrivals):
    with JobStore(database) as store:
        store.record_instances(arrivals("1.2"))
        store.open_revision("1.2", "d" * 64)
        late = store.claim("a", 3)
        assert abs(datetime.now(UTC) - late.updated_at) < timedelta(seconds=30)
        assert store.claim("b", 30) is None
        deadline = time.monotonic() + 30
        while (job := store.claim("b", 30)) is None and time.monotonic() < deadline:
            time.sleep(0.1)
        assert job.id == late.id
        with pytest.raises(LeaseLost):
            store.enter_stage(late, Stage.READ)


def test_many_processes_may_upgrade_at_once(empty_database):
    program = "import sys; from jobs.migrate import upgrade; print(upgrade(sys.argv[1]))"
    starts = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", program, empty_database],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for process in starts:
        out, err = process.communicate(timeout=60)
        assert (out.strip(), err, process.returncode) == (head(), "", 0)


def busy(database, number):
    program = Path(__file__).with_name("busy_writer.py")
    return subprocess.Popen(
        [sys.executable, program, database, str(number), str(INSTANCES)],
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": str(Path(__file__).parents[2])},
    )


def until_delivered(writer):
    lines = []
    while not (lines and lines[-1].startswith("delivered")):
        lines.append(writer.stdout.readline())
        assert lines[-1], "the writer ended by itself"
    return lines


def kill_in_the_middle(database, number):
    """Run two writers, kill both at work; return the steps that they said were done."""
    writers = [busy(database, f"{number}.{which}") for which in range(2)]
    said = [line for writer in writers for line in until_delivered(writer)]
    time.sleep(0.02 * number)  # each time elsewhere in a job
    for writer in writers:
        writer.kill()
    said += [line for writer in writers for line in writer.stdout]
    for writer in writers:
        writer.stdout.close()
        assert writer.wait() == -signal.SIGKILL
    return [tuple(line.split()) for line in said if line.endswith("\n")]


def test_a_kill_in_the_middle_loses_and_halves_nothing(database):
    said = [step for number in range(KILLS) for step in kill_in_the_middle(database, number)]
    assert sum(step == "delivered" for step, _ in said) >= 2 * KILLS
    with JobStore(database) as store:
        for step, uid in said:
            study = store.study(uid)
            assert study.n_instances == INSTANCES
            jobs = store.jobs(study_uid=uid)
            assert len(jobs) == study.revision
            assert step == "arrived" or len(jobs) == 1
            assert step != "delivered" or jobs[0].state is JobState.DELIVERED
        for job in store.jobs(limit=10_000):
            check_whole(store, job)
    check_tables(database)


def check_whole(store, job):
    """A job's state, history and results belong together, whenever its worker was killed."""
    kinds = [event.kind for event in store.events(job.id)]
    assert kinds[0] is EventKind.OPENED
    assert kinds.count(EventKind.CLAIMED) == job.attempt == job.fence
    assert (EventKind.DELIVERED in kinds) == (job.state is JobState.DELIVERED)
    assert (EventKind.RESULTS_KEPT in kinds) == bool(store.results(job.id))
    assert kinds.count(EventKind.SENT) == len(store.deliveries(job.id))
    assert kinds.count(EventKind.STAGE_FINISHED) == len(store.stage_seconds(job.id))


def check_tables(database):
    engine = make_engine(database)
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            assert connection.execute(text("PRAGMA integrity_check")).scalar_one() == "ok"
            assert connection.execute(text("PRAGMA foreign_key_check")).all() == []
        counted = select(func.sum(schema.studies.c.n_instances)).scalar_subquery()
        there = select(func.count()).select_from(schema.instances).scalar_subquery()
        assert connection.execute(select(counted == there)).scalar_one()
    engine.dispose()


def test_upgrade_leaves_a_current_database_as_it_is(database, arrivals):
    with JobStore(database) as store:
        store.record_instances(arrivals("1.2"))
    assert upgrade(database) == head()
    with JobStore(database) as store:
        assert store.study("1.2").n_instances == 3
