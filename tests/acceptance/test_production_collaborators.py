"""Production mode whose model server or PACS is away, and its numbers beside the embedded mode's.

Triton is down until every study has gone back into the queue; TRITON_DOWN_S=120 (`make
test-outage`) keeps it down for two minutes at least.
"""

import csv
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest

from dicom_objects.scanner.study import Identity, write_study
from jobs.job import EventKind, Stage
from jobs.store import JobStore
from phantom.acquisition import Protocol, acquire
from phantom.patient import make_patient
from tests.acceptance.evidence import assert_delivered_once, delivered
from tests.acceptance.peers import Orthanc, make_service, storescu, wait_for
from tests.acceptance.production import Production
from tests.model_server import PROJECT, ModelServer

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(1200)]

LIMIT_S = 600
SHIPPED = PROJECT / "model_repository"
DOWN_S = float(os.environ.get("TRITON_DOWN_S", "0"))
OF_THE_RUN = {"run_id", "stages", "provenance"}


TRUNK = Protocol(
    b_values=(50.0, 900.0), n_stations=4, in_plane_mm=5.0, slice_mm=10.0, matrix=(80, 104)
)


@pytest.fixture(scope="module")
def trunk():
    return acquire(make_patient(1000), TRUNK)


@pytest.fixture
def trunks(tmp_path: Path, trunk) -> Callable[[int], list[Path]]:
    """Write studies of a trunk, the two stations in the middle: quick with the trained networks."""

    def write(n: int) -> list[Path]:
        folders = [tmp_path / f"trunk{number}" for number in range(n)]
        for number, folder in enumerate(folders):
            identity = Identity(accession_number=f"TRUNK{number}")
            for path in write_study(trunk, folder, identity, distractors=False):
                if not any(station in str(path) for station in ("_st2_", "_st3_")):
                    path.unlink()
        return folders

    return write


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelServer]:
    """A real Triton with the models that ship."""
    with ModelServer(SHIPPED, tmp_path_factory.mktemp("triton") / "log") as server:
        yield server


@pytest.fixture
def triton(served: ModelServer) -> ModelServer:
    """Running, whatever the test before did to it."""
    if not served.runs:
        served.start()
    served.wait()
    return served


def failures(store: JobStore) -> list[set[str]]:
    """The codes with which each job went back into the queue."""
    return [
        {str(e.data["code"]) for e in store.events(job.id) if e.kind is EventKind.RETRY}
        for job in store.jobs()
    ]


def assert_no_attempt_was_spent(store: JobStore) -> None:
    assert [job.attempt for job in store.jobs()] == [1] * len(store.jobs())


def test_triton_is_away_while_studies_are_in_flight(
    installed, orthanc: Orthanc, trunks, triton: ModelServer
) -> None:
    production: Production = installed(SHIPPED, triton.url)
    production.start("node-a", "worker-1")
    with production.store() as store:
        for folder in trunks(2):
            production.send("node-a", folder)
        wait_for("a slab", lambda: Stage.ANATOMY in {j.stage for j in store.jobs()}, LIMIT_S)
        triton.kill()
        until = time.monotonic() + DOWN_S
        away = [{"MODEL_UNAVAILABLE"}] * 2
        wait_for("both studies' return", lambda: failures(store) == away, LIMIT_S)
        wait_for("the end of the outage", lambda: time.monotonic() >= until, DOWN_S + 1)
        triton.start()
        wait_for("delivery", lambda: delivered(store, 2), LIMIT_S)
        assert failures(store) == away
        assert_no_attempt_was_spent(store)
        assert_delivered_once(store, production.results, orthanc)
    assert "asking again" in production.logs()


def test_the_pacs_is_away_and_comes_back(production: Production, orthanc: Orthanc, studies) -> None:
    production.start("node-a", "worker-1")
    orthanc.stop()
    with production.store() as store:
        for folder in studies(2):
            production.send("node-a", folder)
        away = [{"PEER_UNAVAILABLE"}] * 2
        wait_for("both studies' return", lambda: failures(store) == away, LIMIT_S)
        orthanc.start()
        wait_for("delivery", lambda: delivered(store, 2), LIMIT_S)
        assert_no_attempt_was_spent(store)
        assert_delivered_once(store, production.results, orthanc)


def test_numbers_and_segments_are_those_of_the_embedded_mode(
    installed, orthanc: Orthanc, trunks, triton: ModelServer, tmp_path: Path
) -> None:
    """SQLite, polling and TorchScript in the worker; PostgreSQL, Celery on Redis and Triton."""
    (folder,) = trunks(1)
    production: Production = installed(SHIPPED, triton.url)
    production.start("node-a", "worker-1")
    embedded = make_service(tmp_path / "embedded", orthanc, SHIPPED, quiet_s=10.0)
    embedded.start("node")
    embedded.start("worker")
    try:
        wait_for("the embedded node's start", embedded.listens, 120)
        assert storescu(folder, embedded.node_port).complete
        production.send("node-a", folder)
        with JobStore(f"sqlite:///{embedded.folder / 'data/osteon.sqlite'}") as store:
            wait_for("delivery", lambda: delivered(store, 1), LIMIT_S)
            one = Found(store, embedded.folder / "data/results")
        with production.store() as store:
            wait_for("delivery", lambda: delivered(store, 1), LIMIT_S)
            other = Found(store, production.results)
    finally:
        embedded.stop()
    assert one.names == other.names
    assert one.numbers() == other.numbers()
    assert one.numbers()["totals"]["tdv_ml"] > 0
    assert one.lesions() == other.lesions() != []
    segments, others = one.segments(), other.segments()
    assert segments
    for name, pixels in segments.items():
        assert pixels.any(), name
        np.testing.assert_array_equal(others[name], pixels, err_msg=name)


class Found:
    """What one installation kept of its one study."""

    def __init__(self, store: JobStore, results: Path) -> None:
        (job,) = store.jobs()
        kept = {result.name: result for result in store.results(job.id)}
        self.names = sorted(kept)
        self._paths = {name: results / result.path for name, result in kept.items()}
        self._segments = [name for name, result in kept.items() if result.kind == "seg"]

    def numbers(self) -> dict[str, dict[str, float]]:
        """Everything that was measured, without what names the run."""
        document = json.loads(self._paths["measurements.json"].read_text())
        return {key: document[key] for key in document if key not in OF_THE_RUN}

    def lesions(self) -> list[dict[str, str]]:
        with self._paths["lesions.csv"].open(newline="") as file:
            rows = list(csv.DictReader(file))
        return [{key: row[key] for key in row if key not in OF_THE_RUN} for row in rows]

    def segments(self) -> dict[str, np.ndarray]:
        return {name: pydicom.dcmread(self._paths[name]).pixel_array for name in self._segments}
