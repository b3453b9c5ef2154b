"""What a job does about earlier studies and its patient's identity before anything is measured."""

from dataclasses import replace

import pytest
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage
from pynetdicom import AE, evt

from dicom_node.query import STUDY_ROOT_FIND
from dicom_objects.reading.examination import read_examination
from jobs.job import JobState
from jobs.prior import FOUND, WantedPrior
from jobs.result import ResultFile
from tests.workers.conftest import STUDY_UID
from tests.workers.test_processing import FakePipeline
from workers import processing
from workers.configuration import Assignment, PriorArchive
from workers.earlier import record_of
from workers.processing import Processing

SECRET = "5a" * 32
OLD = "2.25.50"
RESULT = ResultFile(
    kind="sr",
    name="report.dcm",
    media_type="application/dicom",
    path="r/report.dcm",
    sha256="0" * 64,
    sop_class_uid="1.2.840.10008.5.1.4.1.1.88.34",
    sop_instance_uid="2.25.7",
    series_uid="2.25.8",
)
PATIENT = {
    "PatientID": "HOSPITAL-4711",
    "PatientName": "CANARY^Erika",
    "PatientBirthDate": "19500102",
    "PatientSex": "F",
    "StudyDate": "20260102",
}


@pytest.fixture(autouse=True)
def image(configuration):
    """The claimed study's only image."""
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = MRImageStorage, "2.25.102"
    dataset.StudyInstanceUID, dataset.Modality = STUDY_UID, "MR"
    for keyword, value in PATIENT.items():
        setattr(dataset, keyword, value)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    path = configuration.spool_dir / "studies/aa/bb.dcm"
    path.parent.mkdir(parents=True)
    dataset.save_as(path, enforce_file_format=True)
    return path


class Archive:
    """Answers C-FIND with `studies` that match the Patient ID or the Study Instance UID."""

    def __init__(self):
        self.studies, self.asked, self.status = [], [], 0
        entity = AE("ARCHIVE")
        entity.add_supported_context(STUDY_ROOT_FIND)
        handlers = [(evt.EVT_C_FIND, self._answer)]
        self.server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)

    def has(self, study_uid, **changes):
        study = Dataset()
        study.StudyInstanceUID, study.ModalitiesInStudy = study_uid, "MR"
        for keyword, value in (PATIENT | {"StudyDate": "20250102"} | changes).items():
            setattr(study, keyword, value)
        self.studies.append(study)

    def _answer(self, event):
        asked = event.identifier
        self.asked.append(asked)
        if self.status:
            yield self.status, None
            return
        for study in self.studies:
            same_id = asked.get("PatientID") == study.PatientID
            if same_id or asked.get("StudyInstanceUID") == study.StudyInstanceUID:
                yield 0xFF00, study


@pytest.fixture
def archive():
    made = Archive()
    yield made
    made.server.shutdown()


@pytest.fixture
def told(configuration, archive):
    port = archive.server.server_address[1]
    asks = PriorArchive("ARCHIVE", "127.0.0.1", port, wait_s=600.0)
    return replace(configuration, identity_key=SECRET, archive=asks)


@pytest.fixture
def process(store, told, monkeypatch):
    """Process a job; return what its pipeline was run with, or nothing if it was not."""
    monkeypatch.setattr(processing, "summarise", lambda _findings: {"tdv_ml": 1.0})

    def run(job, configuration=told):
        pipeline = FakePipeline()
        Processing(store, configuration, lambda: pipeline).process(job)
        return [run for _, run in pipeline.runs]

    return run


def notes_of(run):
    return [note.code for note in run.history.earlier.notes]


def test_a_study_waits_for_what_the_archive_holds(store, claimed, archive, process):
    archive.has(OLD)
    assert process(claimed) == []
    waiting = store.job(claimed.id)
    assert (waiting.state, waiting.failure.code) == (JobState.QUEUED, "PRIORS_AWAITED")
    assert waiting.attempt == 0
    (wish,) = store.wished_priors(STUDY_UID)
    assert (wish.study_uid, wish.taken_on) == (OLD, "20250102")
    assert len(archive.asked) == 2  # by the patient, and for the study itself
    store.prior_failed(store.claim_prior("node", 60), "PRIOR_INCOMPLETE")
    (run,) = process(store.claim("w", 30))
    assert notes_of(run) == ["PRIORS_MISSING"]
    assert "2025-01-02" in run.history.earlier.notes[0].text
    assert len(archive.asked) == 2  # asked once
    assert store.job(claimed.id).state is JobState.DELIVERED


def test_a_study_waits_no_longer_than_its_limit(claimed, archive, process, told):
    archive.has(OLD)
    at_once = replace(told, archive=replace(told.archive, wait_s=0.0))
    (run,) = process(claimed, at_once)
    (note,) = run.history.earlier.notes
    assert (note.code, note.severity) == ("PRIORS_MISSING", "warning")
    assert "not measured in time" in note.text


def test_an_archive_without_earlier_studies_delays_nothing(store, claimed, archive, process):
    archive.has(STUDY_UID)
    (run,) = process(claimed)
    assert notes_of(run) == []
    assert store.prior_search(STUDY_UID).code == FOUND
    assert len(archive.asked) == 1  # it knows this study under this patient


def test_an_archive_that_is_away_is_waited_for_and_then_gone_without(store, claimed, process, told):
    away = replace(told, archive=replace(told.archive, port=1))
    assert process(claimed, away) == []
    assert store.job(claimed.id).failure.code == "PRIORS_AWAITED"
    at_once = replace(away, archive=replace(away.archive, wait_s=0.0))
    assert store.prior_search(STUDY_UID).code is None
    other = claim_another(store, "2.25.200", told)
    (run,) = process(other, at_once)
    assert notes_of(run) == ["PRIORS_ARCHIVE"]
    assert store.prior_search("2.25.200").code == "PEER_UNAVAILABLE"


def claim_another(store, study_uid, told):
    (instance,) = store.instances(STUDY_UID)
    path = told.spool_dir / instance.path
    copy = replace(
        instance, sop_instance_uid=f"{study_uid}.1", study_uid=study_uid, path="studies/aa/cc.dcm"
    )
    content = path.read_bytes().replace(STUDY_UID.encode(), study_uid.encode())
    (told.spool_dir / copy.path).write_bytes(content)
    store.record_instances([copy])
    store.open_revision(study_uid, study_uid)
    return store.claim("w", 30)


def test_an_archive_that_refuses_is_gone_without_at_once(store, claimed, archive, process):
    archive.status = 0xA900
    (run,) = process(claimed)
    assert notes_of(run) == ["PRIORS_ARCHIVE"]
    assert store.prior_search(STUDY_UID).code == "QUERY_REFUSED"


def test_an_id_with_wildcards_is_not_asked(store, claimed, archive, process, image):
    image.write_bytes(image.read_bytes().replace(b"HOSPITAL-4711", b"HOSPITAL-47* "))
    (run,) = process(claimed)
    assert notes_of(run) == ["PRIORS_NOT_ASKED"]
    assert archive.asked == []
    assert store.prior_search(STUDY_UID).code == "PRIORS_NOT_ASKED"


def test_an_earlier_study_asks_for_none_and_is_sent_nowhere(store, claimed, archive, process):
    archive.has(OLD)
    process(claimed)
    fetch = store.claim_prior("node", 60)
    (instance,) = store.instances(STUDY_UID)
    copy = replace(instance, sop_instance_uid="2.25.51", study_uid=OLD)
    store.record_instances([copy])
    store.prior_fetched(fetch)
    job = store.open_revision(OLD, "old")
    assert job.priority == claimed.priority - 1
    asked = len(archive.asked)
    (run,) = process(store.claim("w", 30))
    assert notes_of(run) == []
    assert len(archive.asked) == asked
    assert store.job(job.id).state is JobState.DELIVERED
    assert store.job(claimed.id).not_before is None  # woken


def test_results_of_an_earlier_study_go_out_when_somebody_asks(store, claimed, told):
    run = Processing(store, replace(told, destinations=("pacs",)), None)
    assert run._destinations(claimed) == ("pacs",)
    store.begin_prior_search(claimed, 1)
    store.end_prior_search(claimed, wanted=[WantedPrior(OLD, "")])
    fetch = store.claim_prior("node", 60)
    (instance,) = store.instances(STUDY_UID)
    store.record_instances([replace(instance, sop_instance_uid="2.25.51", study_uid=OLD)])
    store.prior_fetched(fetch)
    old = store.claim("w", 30, store.open_revision(OLD, "old").id)
    assert run._destinations(old) == ()
    sending = replace(run.configuration, archive=replace(told.archive, send_results=True))
    assert replace(run, configuration=sending)._destinations(old) == ("pacs",)
    store.keep_results(old, [RESULT])
    store.deliver(old)
    store.send_again(old.id, ["pacs"])
    assert run._destinations(old) == ("pacs",)


def test_the_same_id_of_another_person_in_the_archive_is_held(store, claimed, archive, process):
    archive.has(OLD, PatientBirthDate="19990101")
    assert process(claimed) == []
    held = store.job(claimed.id)
    assert (held.state, held.failure.code) == (JobState.HELD, "IDENTITY_CONFLICT")
    assert "CANARY" not in held.failure.message
    store.release(claimed.id)
    (run,) = process(store.claim("w", 30))
    assert notes_of(run) == ["PRIORS_IDENTITY"]
    assert store.wished_priors(STUDY_UID) == ()


def test_the_study_itself_under_another_patient_is_held(store, claimed, archive, process):
    archive.has(STUDY_UID, PatientID="OTHER")
    assert process(claimed) == []
    assert store.job(claimed.id).failure.code == "IDENTITY_OF_STUDY"


def measured_before(store, told, study_uid, **changes):
    """A study under the same Patient ID was measured here; `changes` of what it says."""
    job = claim_another(store, study_uid, told)
    (instance,) = store.instances(study_uid)
    examination = read_examination([told.spool_dir / instance.path], bytes.fromhex(SECRET))
    store.keep_examination(job, replace(record_of(examination), **changes))
    store.deliver(job)


def test_a_study_that_agrees_with_one_here_is_this_patients(store, claimed, process, told):
    measured_before(store, told, "2.25.200")
    measured_before(store, told, "2.25.201", birth_key="0" * 64)
    (run,) = process(claimed, replace(told, archive=None))
    assert run.history is not None


def test_one_that_agrees_with_nobody_here_is_held_unless_a_note_is_enough(
    store, claimed, process, told
):
    measured_before(store, told, "2.25.201", sex_key="0" * 64)
    without = replace(told, archive=None)
    assert process(claimed, without) == []
    assert store.job(claimed.id).failure.code == "IDENTITY_CONFLICT"
    store.requeue(claimed.id)
    assert process(store.claim("w", 30), replace(without, hold_conflicts=False))
    assert store.job(claimed.id).state is JobState.DELIVERED


def test_the_archive_crosses_to_the_child_as_it_is(told):
    assignment = Assignment("0" * 32, 1, told)
    assert Assignment.from_json(assignment.to_json()) == assignment
