"""Production mode with real servers, each of which fails: every study is delivered exactly once."""

import json
import signal
import threading
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from dicom_objects.scanner.study import Identity, write_study
from jobs.job import EventKind, JobState
from jobs.store import JobStore
from tests.acceptance.evidence import assert_delivered_once, delivered
from tests.acceptance.peers import Orthanc, make_service, storescu, wait_for
from tests.acceptance.production import LEASE_S, Production, make_production
from tests.servers import PostgreSQL, Redis

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(1200)]

_NUMBERS = count(1)
LIMIT_S = 600
CRASH = Path(__file__).parent / "crash"
STAGES = {"read", "assemble", "fit", "anatomy", "normalise", "disease", "measure", "encode"}


@pytest.fixture(scope="module")
def postgresql() -> Iterator[PostgreSQL]:
    server = PostgreSQL()
    yield server
    server.close()


@pytest.fixture
def production(
    tmp_path: Path, orthanc: Orthanc, quick_models: Path, postgresql: PostgreSQL
) -> Iterator[Production]:
    name = f"production_{next(_NUMBERS)}"
    production = make_production(tmp_path / "osteon", orthanc, quick_models, postgresql, name)
    try:
        yield production
    finally:
        production.stop()
        production.redis.kill()
    logs = production.logs()
    assert Redis.PASSWORD not in logs
    assert "s%2Fecret" not in logs
    assert "Traceback" not in logs


@pytest.fixture
def studies(tmp_path: Path, coarse):
    """Write studies of other identities: `studies(3)` gives their folders."""

    def write(n: int) -> list[Path]:
        folders = [tmp_path / f"study{number}" for number in range(n)]
        for number, folder in enumerate(folders):
            identity = Identity(accession_number=f"FAULT{number}")
            write_study(coarse, folder, identity, distractors=False)
        return folders

    return write


def send(production: Production, node: str, folder: Path) -> None:
    assert storescu(folder, production.ports[node]).complete


def started(production: Production, *names: str) -> None:
    production.start(*names)
    for name in names:
        if name.startswith("node"):
            wait_for(f"the start of {name}", lambda n=name: production.listens(n), 120)


def some_job_runs(store: JobStore) -> bool:
    return bool(store.jobs(JobState.RUNNING))


def test_redis_is_killed_and_its_data_removed(production: Production, orthanc, studies) -> None:
    started(production, "node-a", "worker-1")
    folders = studies(2)
    with production.store() as store:
        send(production, "node-a", folders[0])
        wait_for("work", lambda: some_job_runs(store), LIMIT_S)
        production.redis.lose_everything()
        send(production, "node-a", folders[1])
        wait_for("the second job", lambda: len(store.jobs()) == 2, LIMIT_S)  # nobody rings for it
        production.redis.start()
        wait_for("delivery", lambda: delivered(store, 2), LIMIT_S)
        assert_delivered_once(store, production.results, orthanc)
    assert "the broker is away" in production.logs()


def test_postgresql_crashes_and_is_started_again(
    production: Production, orthanc, studies, postgresql: PostgreSQL
) -> None:
    started(production, "node-a", "worker-1")
    folders = studies(2)
    with production.store() as store:
        send(production, "node-a", folders[0])
        wait_for("work", lambda: some_job_runs(store), LIMIT_S)
        postgresql.stop(signal.SIGQUIT)
        threading.Timer(3.0, postgresql.start).start()
        send(production, "node-a", folders[1])  # received while there is no database
        wait_for("delivery", lambda: delivered(store, 2), LIMIT_S)
        assert_delivered_once(store, production.results, orthanc)
    assert production.runs("node-a")
    assert production.runs("worker-1")


def test_a_worker_is_killed_in_every_stage(
    production: Production, orthanc, studies, tmp_path: Path
) -> None:
    deaths = tmp_path / "deaths"
    deaths.mkdir()
    production.environment |= {"PYTHONPATH": str(CRASH), "CRASH_FOLDER": str(deaths)}
    workers = ("worker-1", "worker-2")
    started(production, "node-a", *workers)
    for folder in studies(5):
        send(production, "node-a", folder)
    with production.store() as store:

        def all_delivered() -> bool:
            for name in workers:
                if not production.runs(name):
                    production.start(name)
            return delivered(store, 5)

        wait_for("delivery", all_delivered, LIMIT_S)
        assert_delivered_once(store, production.results, orthanc)
        killed_in = {path.name for path in deaths.iterdir() if "." not in path.name}
        assert killed_in >= STAGES | {"deliver"}
        events = [e.kind for job in store.jobs() for e in store.events(job.id)]
        assert events.count(EventKind.LEASE_EXPIRED) >= len(killed_in)


def test_a_worker_that_was_stopped_for_a_while_writes_nothing_when_it_goes_on(
    production: Production, orthanc, studies
) -> None:
    started(production, "node-a", "worker-1")
    with production.store() as store:
        send(production, "node-a", studies(1)[0])
        wait_for("work", lambda: some_job_runs(store) and store.jobs()[0].stage, LIMIT_S)
        (job,) = store.jobs()
        production.signal("worker-1", signal.SIGSTOP)  # with its child
        started(production, "worker-2")
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
    started(production, "node-a", "node-b", "worker-1")
    (folder,) = studies(1)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    halves = {"node-a": tmp_path / "half_a", "node-b": tmp_path / "half_b"}
    for number, path in enumerate(files):
        half = halves["node-a" if number % 2 else "node-b"]
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
    started(production, "node-b")
    send(production, "node-b", halves["node-b"])  # the sender tries again
    with production.store() as store:

        def whole_and_delivered() -> bool:
            jobs = store.jobs()
            return bool(jobs) and jobs[0].state is JobState.DELIVERED and whole(store, jobs[0])

        def whole(store: JobStore, job) -> bool:
            return len(store.instances(job.study_uid, job.revision)) == len(files)

        wait_for("delivery of the whole", whole_and_delivered, LIMIT_S)
        older = store.jobs()[1:]  # one, where the sender took longer than the quiet period
        assert all(job.state is JobState.REJECTED for job in older)
        if not older:
            assert_delivered_once(store, production.results, orthanc)
    assert len(acknowledged["node-a"]) == len(list(halves["node-a"].iterdir()))


def test_the_numbers_are_those_of_the_embedded_mode(
    production: Production, orthanc, studies, quick_models: Path, tmp_path: Path
) -> None:
    (folder,) = studies(1)
    started(production, "node-a", "worker-1")
    embedded = make_service(tmp_path / "embedded", orthanc, quick_models, quiet_s=3.0)
    embedded.start("node")
    embedded.start("worker")
    try:
        wait_for("the embedded node's start", embedded.listens, 120)
        assert storescu(folder, embedded.node_port).complete
        send(production, "node-a", folder)
        with JobStore(f"sqlite:///{embedded.folder / 'data/osteon.sqlite'}") as store:
            wait_for("delivery", lambda: delivered(store, 1), LIMIT_S)
            one = numbers(store, embedded.folder / "data/results")
        with production.store() as store:
            wait_for("delivery", lambda: delivered(store, 1), LIMIT_S)
            other = numbers(store, production.results)
    finally:
        embedded.stop()
    assert one == other


def numbers(store: JobStore, results: Path) -> dict[str, object]:
    """Everything that was measured, without what names the run."""
    (job,) = store.jobs()
    paths = {result.name: results / result.path for result in store.results(job.id)}
    document = json.loads(paths["measurements.json"].read_text())
    assert document["totals"]
    return {key: document[key] for key in document if key not in OF_THE_RUN}


OF_THE_RUN = {"run_id", "stages", "provenance"}
