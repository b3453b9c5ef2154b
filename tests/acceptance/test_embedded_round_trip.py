"""The main job against real peers over real sockets: DCMTK sends, Orthanc receives."""

import json
import os
import random
import subprocess
import threading
import time
from collections import Counter
from pathlib import Path

import pydicom
import pytest

from dicom_objects.scanner.study import Identity, write_study
from jobs.job import JobState
from jobs.store import JobStore
from tests.acceptance.evidence import assert_the_pacs_has_what_was_kept, delivered
from tests.acceptance.peers import Orthanc, Service, make_service, storescu, wait_for

pytestmark = pytest.mark.acceptance

SEG = "1.2.840.10008.5.1.4.1.1.66.4"
ADC = "1.2.840.10008.5.1.4.1.1.30"
SR = "1.2.840.10008.5.1.4.1.1.88.34"
REPORT = {
    "1.2.840.10008.5.1.4.1.1.104.1": 1,  # Encapsulated PDF
    "1.2.840.10008.5.1.4.1.1.7": 1,  # its page as pixels
    "1.2.840.10008.5.1.4.1.1.7.2": 1,  # rotating projections, grey
    "1.2.840.10008.5.1.4.1.1.7.4": 1,  # and in colour
}
EACH = {SEG: 2, ADC: 2, SR: 1, **REPORT}
N_STUDIES = 10
N_KILLS = 4
TRAINED = Path(__file__).parents[2] / "model_repository"


def opened(service: Service) -> JobStore:
    return JobStore(f"sqlite:///{service.folder / 'data/osteon.sqlite'}")


@pytest.fixture
def model_repository(quick_models: Path) -> Path:
    """The trained model where there is one."""
    return TRAINED if (TRAINED / "anatomy/osteon.json").is_file() else quick_models


def test_a_study_comes_back_from_the_pacs_byte_for_byte(
    tmp_path: Path, orthanc: Orthanc, model_repository: Path, coarse_study: Path
) -> None:
    service = make_service(tmp_path / "osteon", orthanc, model_repository, quiet_s=2.0)
    service.start("node")
    service.start("worker")
    try:
        wait_for("the node's start", service.listens, 60)
        sent = storescu(coarse_study, service.node_port)
        assert sent.complete
        assert sent.acknowledged == {p for p in coarse_study.rglob("*") if p.is_file()}
        with opened(service) as store:
            wait_for("delivery", lambda: delivered(store, 1), 240)
            [job] = store.jobs()
            results = service.folder / "data/results"
            classes = assert_the_pacs_has_what_was_kept(store, results, orthanc, job.id)
            assert classes == EACH
            assert {"read", "anatomy", "encode", "deliver"} <= set(store.stage_seconds(job.id))
            files = {r.name: results / r.path for r in store.results(job.id)}
    finally:
        service.stop()
    for name, path in files.items():
        if name.endswith(".dcm"):
            assert_valid(path)
    assert_numbers_agree(files["measurements.json"], files["sr.dcm"])


def assert_valid(path: Path) -> None:
    """Dciodvfy, of David Clunie's dicom3tools, finds no error."""
    done = subprocess.run(
        ["/usr/bin/dciodvfy", str(path)], capture_output=True, text=True, check=False
    )
    errors = [row for row in done.stderr.splitlines() if row.startswith("Error")]
    assert not errors, errors


def assert_numbers_agree(measurements: Path, report: Path) -> None:
    """TDV in the report is TDV in the document."""
    tdv_ml = json.loads(measurements.read_text())["totals"]["tdv_ml"]
    stack, found = [pydicom.dcmread(report)], []
    while stack:
        item = stack.pop()
        stack += list(item.get("ContentSequence", []))
        concepts = item.get("ConceptNameCodeSequence", [])
        if concepts and concepts[0].CodeValue == "TDV":
            found.append(float(item.MeasuredValueSequence[0].NumericValue))
    assert found == [pytest.approx(tdv_ml, abs=0.001, rel=1e-5)]


@pytest.mark.timeout(2400)
def test_killed_at_random_moments_nothing_is_lost_and_nothing_comes_twice(
    tmp_path: Path, orthanc: Orthanc, quick_models: Path, coarse
) -> None:
    """Kill -9 of node and worker while ten studies are sent and measured."""
    studies = [tmp_path / f"study{n}" for n in range(N_STUDIES)]
    for n, folder in enumerate(studies):
        write_study(coarse, folder, Identity(accession_number=f"CRASH{n}"), distractors=False)
    service = make_service(tmp_path / "osteon", orthanc, quick_models, quiet_s=6.0)
    service.start("node")
    wait_for("the node's start", service.listens, 60)
    service.start("worker")
    seed = int(os.environ.get("KILLER_SEED", time.time_ns() % 10_000))
    (tmp_path / "KILLER_SEED").write_text(str(seed))  # to repeat the moments of a failure
    with opened(service) as store:
        killer = Killer(service, store, random.Random(seed))
        thread = threading.Thread(target=killer.run)
        thread.start()
        try:
            acknowledged: set[Path] = set()
            for folder in studies:
                acknowledged |= send_until_complete(folder, service.node_port)
            wait_for("all deliveries", lambda: delivered(store, N_STUDIES), 1200)
        finally:
            killer.stop.set()
            thread.join()
            service.stop()
        assert killer.kills["node"] >= 2
        assert killer.kills["worker"] >= 2
        assert_every_acknowledged_instance_is_there(store, acknowledged)
        for job in store.jobs():
            results = service.folder / "data/results"
            classes = assert_the_pacs_has_what_was_kept(store, results, orthanc, job.id)
            assert classes == EACH
    assert len(orthanc.instances()) == sum(EACH.values()) * N_STUDIES


class Killer:
    """Kills node and worker at random moments, each a few times, and starts them again at once."""

    def __init__(self, service: Service, store: JobStore, dice: random.Random) -> None:
        self.service = service
        self.store = store
        self.dice = dice
        self.stop = threading.Event()
        self.kills: Counter[str] = Counter()

    def run(self) -> None:
        victims = ["node"] * N_KILLS + ["worker"] * N_KILLS
        self.dice.shuffle(victims)
        for name in victims:
            while not self._may_be_killed(name):
                if self.stop.wait(0.1):
                    return
            # From the first byte of its work on, any moment is as good as another.
            if self.stop.wait(self.dice.uniform(0.0, 6.0)):
                return
            self.service.kill(name)
            self.kills[name] += 1
            self.service.start(name)

    def _may_be_killed(self, name: str) -> bool:
        """Wait for a node that listens, and for a job that can bear to lose its worker.

        A job whose worker dies in every attempt fails, rightly; that is another test.
        """
        if name == "node":
            return self.service.listens()
        running = self.store.jobs(JobState.RUNNING)
        return any(job.attempt < job.max_attempts - 1 for job in running)


def send_until_complete(folder: Path, port: int) -> set[Path]:
    acknowledged: set[Path] = set()
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        sent = storescu(folder, port)
        acknowledged |= sent.acknowledged
        if sent.complete:
            return acknowledged
        time.sleep(0.2)
    message = f"{folder} could not be sent"
    raise AssertionError(message)


def assert_every_acknowledged_instance_is_there(store: JobStore, files: set[Path]) -> None:
    known = {i.sop_instance_uid for job in store.jobs() for i in store.instances(job.study_uid)}
    sent = {str(pydicom.dcmread(p, stop_before_pixels=True).SOPInstanceUID) for p in files}
    assert sent <= known
    assert len(sent) == len(files) > 0
