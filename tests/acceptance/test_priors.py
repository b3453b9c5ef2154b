"""A study comes, its earlier one lies in the archive only: Orthanc, node and worker for real."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pydicom
import pytest

from dicom_objects.scanner.study import Identity, write_study
from jobs.job import EventKind, Job, JobState
from jobs.prior import PriorState
from jobs.store import JobStore
from tests.acceptance.archive import ArchiveOrthanc
from tests.acceptance.peers import Service, make_service, storescu, wait_for
from tests.browser import scenes
from tests.browser.marrow_model import MarrowIsBone, write_models

pytestmark = pytest.mark.acceptance

_FATE_S = 240


@dataclass(frozen=True)
class System:
    """Our processes, Orthanc as their archive and their PACS, and a person at two visits."""

    service: Service
    pacs: ArchiveOrthanc
    folder: Path
    visits: tuple[object, object]
    store: JobStore = field(repr=False)

    def write(self, visit: int, patient_id: str, **more: str) -> scenes.Study:
        """Write the study of a visit, of whom a test says."""
        date = ("20250115", "20250415")[visit]
        identity = Identity(
            patient_name="CANARY^ERIKA", patient_id=patient_id, study_date=date, **more
        )
        folder = self.folder / f"{patient_id}_{visit}"
        paths = write_study(self.visits[visit], folder, identity, distractors=False)
        return scenes.Study(str(pydicom.dcmread(paths[0]).StudyInstanceUID), folder, identity)

    def send(self, study: scenes.Study) -> None:
        assert storescu(study.folder, self.service.node_port).complete

    def newest(self, study: scenes.Study) -> Job | None:
        return max(self.store.jobs(study_uid=study.uid), key=lambda j: j.revision, default=None)

    def fate(self, study: scenes.Study, state: JobState, code: str = "") -> Job:
        def reached() -> Job | None:
            job = self.newest(study)
            told = job.failure.code if job and job.failure else ""
            return job if job and job.state is state and (not code or told == code) else None

        return wait_for(f"{state} {code}", reached, _FATE_S)

    def measurements(self, job: Job) -> dict:
        (found,) = [r for r in self.store.results(job.id) if r.name == "measurements.json"]
        return json.loads((self.service.folder / "data/results" / found.path).read_text())

    def classes(self, study: scenes.Study) -> set[str]:
        return {self.pacs.tag(one["ID"], "Modality") for one in self.pacs.instances(study.uid)}


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    folder = tmp_path_factory.mktemp("priors")
    pacs = ArchiveOrthanc(folder / "orthanc")
    models = write_models(folder / "models", MarrowIsBone())
    service = make_service(folder / "osteon", pacs, models, quiet_s=2.0)
    with service.settings.open("a") as settings:
        settings.write(
            f'[archive]\nhost = "127.0.0.1"\nport = {pacs.dicom_port}\nae_title = "ORTHANC"\n'
            "wait_s = 150\n"
            "[results]\nvolumes = false\nadc_map = false\n"
            "[report]\npdf = false\nsecondary_capture = false\nmip = false\n"
        )
    try:
        service.start("node")
        wait_for("the node's start", service.listens, 60)
        service.start("worker")
        with JobStore(f"sqlite:///{folder / 'osteon/data/osteon.sqlite'}") as store:
            yield System(service, pacs, folder, scenes.acquisitions(), store)
    finally:
        service.stop()
        pacs.stop()
        for name in ("node", "worker"):
            assert "CANARY" not in (service.folder / f"{name}.log").read_text()


def test_the_earlier_study_of_the_archive_is_compared_with(system: System) -> None:
    old, new = system.write(0, "PRIOR-A"), system.write(1, "PRIOR-A")
    system.pacs.keep(old.folder)
    system.send(new)
    job = system.fate(new, JobState.DELIVERED)
    prior = system.fate(old, JobState.DELIVERED)
    assert prior.priority == job.priority - 1
    (wish,) = system.store.wished_priors(new.uid)
    assert (wish.study_uid, wish.state, wish.measured) == (old.uid, PriorState.FETCHED, True)
    document = system.measurements(job)
    (compared,) = document["priors"]
    before = system.measurements(prior)["totals"]
    assert compared["study_uid"] == old.uid
    assert before["tdv_ml"] > 0
    change = compared["delta"]["tdv_ml"]
    assert change["before"] == pytest.approx(before["tdv_ml"], rel=0.2)
    assert change["percent"] == pytest.approx(100 * (change["after"] / change["before"] - 1), abs=1)
    assert change["percent"] != 0
    codes = {note["code"] for note in document["quality"]}
    assert not {code for code in codes if code.startswith("PRIORS")}
    assert EventKind.PRIOR_MEASURED not in [e.kind for e in system.store.events(job.id)]
    # What a later study asked for is in the archive as it was; the later one got its results.
    assert system.classes(old) == {"MR"}
    assert "SR" in system.classes(new)
    assert system.store.deliveries(prior.id) == ()


def test_an_id_that_is_another_persons_in_the_archive_is_held(system: System) -> None:
    other = system.write(0, "PRIOR-B", birth_date="19991231")
    new = system.write(1, "PRIOR-B")
    system.pacs.keep(other.folder)
    system.send(new)
    held = system.fate(new, JobState.HELD, "IDENTITY_CONFLICT")
    assert "CANARY" not in held.failure.message
    assert system.store.results(held.id) == ()
    assert system.store.wished_priors(new.uid) == ()
    assert system.newest(other) is None  # nobody fetched it


def test_an_archive_that_is_away_is_waited_for(system: System) -> None:
    old, new = system.write(0, "PRIOR-C"), system.write(1, "PRIOR-C")
    system.pacs.keep(old.folder)
    system.pacs.stop()
    system.send(new)
    waiting = system.fate(new, JobState.QUEUED, "PRIORS_AWAITED")
    assert (waiting.attempt, system.store.results(waiting.id)) == (0, ())
    system.pacs.start()
    job = wait_for("the earlier study", lambda: system.newest(old), _FATE_S)
    assert job.priority == waiting.priority - 1
    (wish,) = system.store.wished_priors(new.uid)
    assert (wish.study_uid, wish.state) == (old.uid, PriorState.FETCHED)
