"""Production mode with real servers, each of which fails: every study is delivered exactly once."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from jobs.job import EventKind, JobState, Stage
from jobs.store import JobStore
from tests.acceptance.evidence import assert_delivered_once, delivered
from tests.acceptance.peers import storescu, wait_for
from tests.acceptance.production import LEASE_S, Production
from tests.servers import PostgreSQL

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(1200)]

LIMIT_S = 600
PROJECT = Path(__file__).parents[2]
CRASH = Path(__file__).parent / "crash"
N_STUDIES = 6  # each bears two deaths
STAGES = {stage.value for stage in Stage} - {Stage.COMPARE}  # no study here has an earlier one


def some_job_runs(store: JobStore) -> bool:
    return bool(store.jobs(JobState.RUNNING))


def test_redis_is_killed_and_its_data_removed(production: Production, orthanc, studies) -> None:
    production.start("node-a", "worker-1")
    folders = studies(2)
    with production.store() as store:
        production.send("node-a", folders[0])
        wait_for("work", lambda: some_job_runs(store), LIMIT_S)
        production.redis.lose_everything()
        production.send("node-a", folders[1])
        wait_for("the second job", lambda: len(store.jobs()) == 2, LIMIT_S)  # nobody rings for it
        production.redis.start()
        wait_for("delivery", lambda: delivered(store, 2), LIMIT_S)
        assert_delivered_once(store, production.results, orthanc)
    assert "the broker is away" in production.logs()


def test_postgresql_crashes_and_is_started_again(
    production: Production, orthanc, studies, postgresql: PostgreSQL
) -> None:
    production.start("node-a", "worker-1")
    folders = studies(2)
    with production.store() as store:
        production.send("node-a", folders[0])
        wait_for("work", lambda: some_job_runs(store), LIMIT_S)
        postgresql.stop(signal.SIGQUIT)
        threading.Timer(3.0, postgresql.start).start()
        production.send("node-a", folders[1])  # received while there is no database
        wait_for("delivery", lambda: delivered(store, 2), LIMIT_S)
        assert_delivered_once(store, production.results, orthanc)
    assert production.runs("node-a")
    assert production.runs("worker-1")


def test_a_worker_is_killed_in_every_stage(
    production: Production, orthanc, studies, tmp_path: Path
) -> None:
    deaths = tmp_path / "deaths"
    deaths.mkdir()
    path = os.pathsep.join(map(str, (CRASH, PROJECT)))
    production.environment |= {"PYTHONPATH": path, "CRASH_FOLDER": str(deaths)}
    workers = ("worker-1", "worker-2")
    production.start("node-a", *workers)
    for folder in studies(N_STUDIES):
        production.send("node-a", folder)
    with production.store() as store:

        def all_delivered() -> bool:
            for name in workers:
                if not production.runs(name):
                    production.start(name)
            return delivered(store, N_STUDIES)

        wait_for("delivery", all_delivered, LIMIT_S)
        assert_delivered_once(store, production.results, orthanc)
        killed_in = {path.name for path in deaths.iterdir() if "." not in path.name}
        assert killed_in >= STAGES
        events = [e.kind for job in store.jobs() for e in store.events(job.id)]
        assert events.count(EventKind.LEASE_EXPIRED) >= len(killed_in)


def test_a_worker_that_was_stopped_for_a_while_writes_nothing_when_it_goes_on(
    production: Production, orthanc, studies
) -> None:
    production.start("node-a", "worker-1")
    with production.store() as store:
        production.send("node-a", studies(1)[0])
        wait_for("work", lambda: some_job_runs(store) and store.jobs()[0].stage, LIMIT_S)
        (job,) = store.jobs()
        production.signal("worker-1", signal.SIGSTOP)  # with its child
        production.start("worker-2")
        wait_for("delivery by another", lambda: delivered(store, 1), LIMIT_S)
        events = store.events(job.id)
        assert EventKind.LEASE_EXPIRED in [event.kind for event in events]
        production.signal("worker-1", signal.SIGCONT)
        time.sleep(2 * LEASE_S)
        assert store.events(job.id) == events
        assert_delivered_once(store, production.results, orthanc)
    assert production.runs("worker-1")


def test_halves_come_through_two_nodes_one_of_which_is_killed(
    production: Production, orthanc, studies, tmp_path: Path
) -> None:
    production.start("node-a", "node-b", "worker-1")
    divided, other = studies(2)
    files = sorted(path for path in divided.rglob("*") if path.is_file())
    halves = {"node-a": tmp_path / "half_a", "node-b": tmp_path / "half_b"}
    for number, path in enumerate(files):  # a b-value each: neither half looks whole
        half = halves["node-a" if "_b50" in str(path) else "node-b"]
        half.mkdir(exist_ok=True)
        path.rename(half / f"{number}.dcm")
    acknowledged: dict[str, frozenset[Path]] = {}

    def send_half(name: str) -> None:
        acknowledged[name] = storescu(halves[name], production.ports[name]).acknowledged

    senders = [threading.Thread(target=send_half, args=(name,)) for name in halves]
    for sender in senders:
        sender.start()
    spooled = production.folder / "data/spool/studies"
    wait_for("the first images", lambda: len(list(spooled.rglob("*.dcm"))) >= 3, LIMIT_S)
    production.kill("node-b")
    for sender in senders:
        sender.join()
    production.send("node-a", other)
    production.start("node-b")
    production.send("node-b", halves["node-b"])  # the sender tries again
    with production.store() as store:
        wait_for("delivery", lambda: delivered(store, 2), LIMIT_S)
        assert {job.revision for job in store.jobs()} == {1}
        counts = {len(store.instances(job.study_uid, 1)) for job in store.jobs()}
        assert counts == {len(files)}
        assert_delivered_once(store, production.results, orthanc)
    assert len(acknowledged["node-a"]) == len(list(halves["node-a"].iterdir()))
