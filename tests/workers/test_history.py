"""Whose study a job measures: kept as keyed digests, and told to the pipeline."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

from jobs.examination import ExaminationRecord
from tests.workers.conftest import STUDY_UID
from tests.workers.test_processing import FakePipeline
from workers import processing
from workers.earlier import StoredResults
from workers.processing import Processing

SECRET = "5a" * 32


@pytest.fixture
def image(configuration):
    """The claimed study's only image."""
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = MRImageStorage, "2.25.102"
    dataset.StudyInstanceUID, dataset.Modality = STUDY_UID, "MR"
    dataset.PatientID, dataset.StudyDate = "HOSPITAL-4711", "20260102"
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    path = configuration.spool_dir / "studies/aa/bb.dcm"
    path.parent.mkdir(parents=True)
    dcmwrite(path, dataset, enforce_file_format=True)
    return path


def measured(store, configuration, claimed, monkeypatch):
    monkeypatch.setattr(processing, "summarise", lambda _findings: {"tdv_ml": 1.0})
    pipeline = FakePipeline()
    Processing(store, configuration, lambda: pipeline).process(claimed)
    [(_, run)] = pipeline.runs
    return run


def test_a_patients_key_is_kept_and_finds_the_study_again(
    store, configuration, claimed, image, monkeypatch
):
    assert b"4711" in image.read_bytes()
    told = replace(configuration, identity_key=SECRET)
    run = measured(store, told, claimed, monkeypatch)
    assert run.history.earlier == StoredResults(store, configuration.results_dir)
    assert run.history.examination.taken_at == "2026-01-02"
    key = run.history.examination.patient.patient
    (found,) = store.other_results(ExaminationRecord("2.25.9", key, "", "", ""))
    assert (found.examination.study_uid, found.job_id) == (STUDY_UID, claimed.id)
    database = Path(configuration.store_url.removeprefix("sqlite:///"))
    files = [database, database.with_name(f"{database.name}-wal")]
    assert not any(b"4711" in file.read_bytes() for file in files if file.exists())


def test_without_a_secret_nothing_is_kept_and_nothing_compared(
    store, configuration, claimed, image, monkeypatch
):
    assert image.exists()
    assert measured(store, configuration, claimed, monkeypatch).history is None


def test_a_study_whose_images_cannot_be_read_has_no_history(
    store, configuration, claimed, monkeypatch
):
    told = replace(configuration, identity_key=SECRET)
    assert measured(store, told, claimed, monkeypatch).history is None
