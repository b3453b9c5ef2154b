"""What names a study is read from its first image, and kept for a rejected study too."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.uid import BasicTextSRStorage, ExplicitVRLittleEndian, MRImageStorage

from dicom_objects.errors import NoUsableDiffusion
from jobs.job import JobState
from jobs.labels import StudyLabel
from jobs.study import Instance
from tests.workers.conftest import STUDY_UID
from tests.workers.test_processing import RECORD, FakePipeline
from workers import processing
from workers.labelling import study_label
from workers.processing import Processing

TEXTS = {
    "PatientName": "Doe^Jane^Ann",
    "PatientID": "ID-4711",
    "AccessionNumber": "ACC-1",
    "StudyDate": "20260102",
    "Manufacturer": "SIEMENS",
    "ManufacturerModelName": "Vida",
}


@pytest.fixture
def spooled(tmp_path):
    """Write files into a spool; gives the instances."""
    written = []

    def write(sop_class=MRImageStorage, content=None, **texts):
        number = len(written)
        path = tmp_path / "spool" / f"{number}.dcm"
        path.parent.mkdir(exist_ok=True)
        if content is not None:
            path.write_bytes(content)
        else:
            dataset = Dataset()
            dataset.SOPClassUID, dataset.SOPInstanceUID = sop_class, f"2.25.{number}"
            dataset.StudyInstanceUID = STUDY_UID
            for keyword, value in texts.items():
                setattr(dataset, keyword, value)
            dataset.file_meta = FileMetaDataset()
            dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
            dcmwrite(path, dataset, enforce_file_format=True)
        written.append(
            Instance(
                sop_instance_uid=f"2.25.{number}",
                study_uid=STUDY_UID,
                series_uid="2.25.101",
                sop_class_uid=sop_class,
                transfer_syntax_uid=ExplicitVRLittleEndian,
                sha256="a" * 64,
                size=10,
                path=path.name,
                received_at=datetime(2026, 1, 1, tzinfo=UTC),
            )
        )
        return written

    return write


def label_of(instances, tmp_path):
    return study_label(STUDY_UID, instances, tmp_path / "spool")


def test_names_numbers_date_and_scanner_are_read(spooled, tmp_path):
    label = label_of(spooled(**TEXTS), tmp_path)
    expected = ("Doe, Jane Ann", "ID-4711", "ACC-1", "20260102", "SIEMENS Vida")
    assert label == StudyLabel(STUDY_UID, *expected)


def test_other_scripts_are_kept_beside_the_name(spooled, tmp_path):
    name = "Yamada^Tarou=山田^太郎=やまだ^たろう"
    charset = ["", "ISO 2022 IR 87"]
    instances = spooled(SpecificCharacterSet=charset, PatientName=name, PatientID="1")
    assert label_of(instances, tmp_path).patient_name == "Yamada, Tarou=山田, 太郎=やまだ, たろう"


def test_an_image_of_mr_names_the_scanner_and_a_report_does_not(spooled, tmp_path):
    spooled(BasicTextSRStorage, **{**TEXTS, "Manufacturer": "REPORTS", "ManufacturerModelName": ""})
    instances = spooled(**TEXTS)
    assert label_of(instances, tmp_path).scanner == "SIEMENS Vida"


def test_without_mr_any_file_names_the_study(spooled, tmp_path):
    instances = spooled(BasicTextSRStorage, **TEXTS)
    assert label_of(instances, tmp_path).patient_id == "ID-4711"


def test_files_that_say_nothing_are_passed_over(spooled, tmp_path):
    spooled(content=b"no DICOM at all")
    spooled(content=b"")
    spooled(Manufacturer="SIEMENS")
    instances = spooled(**TEXTS)
    (tmp_path / "spool" / "0.dcm").unlink()
    assert label_of(instances, tmp_path).patient_name == "Doe, Jane Ann"


def test_a_study_without_names_has_an_empty_label(spooled, tmp_path):
    assert label_of(spooled(content=b"no DICOM"), tmp_path) == StudyLabel(STUDY_UID)
    assert label_of([], tmp_path) == StudyLabel(STUDY_UID)


@pytest.fixture
def image(configuration):
    """The claimed study's only image."""
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = MRImageStorage, "2.25.102"
    for keyword, value in TEXTS.items():
        setattr(dataset, keyword, value)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    path = configuration.spool_dir / "studies/aa/bb.dcm"
    path.parent.mkdir(parents=True)
    dcmwrite(path, dataset, enforce_file_format=True)


@pytest.mark.usefixtures("image")
@pytest.mark.parametrize("error", [None, NoUsableDiffusion("NO", "nothing", [RECORD])])
def test_the_worker_keeps_it_whatever_becomes_of_the_study(
    store, configuration, claimed, monkeypatch, error
):
    monkeypatch.setattr(processing, "summarise", lambda _findings: {"tdv_ml": 1.0})
    told = replace(configuration, keep_labels=True)
    Processing(store, told, lambda: FakePipeline(error)).process(claimed)
    expected = JobState.DELIVERED if error is None else JobState.REJECTED
    assert store.job(claimed.id).state is expected
    label = store.label(STUDY_UID)
    assert label is not None
    assert label.patient_name == "Doe, Jane Ann"


@pytest.mark.usefixtures("image")
def test_where_labels_are_switched_off_none_is_kept(store, configuration, claimed, monkeypatch):
    monkeypatch.setattr(processing, "summarise", lambda _findings: {"tdv_ml": 1.0})
    Processing(store, configuration, FakePipeline).process(claimed)
    assert store.job(claimed.id).state is JobState.DELIVERED
    assert store.label(STUDY_UID) is None
    store.close()
    files = configuration.spool_dir.parent.glob("store.sqlite*")
    assert not any(b"4711" in file.read_bytes() for file in files)
