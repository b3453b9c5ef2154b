import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from jobs.job import Failure, Stage
from jobs.migrate import upgrade
from jobs.result import ResultFile
from jobs.store import JobStore
from jobs.study import Instance, input_digest

PROJECT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch, tmp_path):
    """No settings of the machine that runs the tests, and an empty working directory."""
    for name in list(os.environ):
        if name.startswith("OSTEON_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))


@pytest.fixture
def store(tmp_path):
    url = f"sqlite:///{tmp_path / 'store.sqlite'}"
    upgrade(url)
    with JobStore(url) as opened:
        yield opened


@pytest.fixture
def open_job(store):
    """Opens the job of a new study; gives the study's UID and the claimed job."""

    def opened(number=1):
        study_uid = f"2.25.{number}00"
        instance = Instance(
            sop_instance_uid=f"2.25.{number}02",
            study_uid=study_uid,
            series_uid=f"2.25.{number}01",
            sop_class_uid="1.2.840.10008.5.1.4.1.1.4",
            transfer_syntax_uid="1.2.840.10008.1.2.1",
            sha256="a" * 64,
            size=10,
            path="studies/aa/bb.dcm",
            received_at=datetime(2026, 1, 1, tzinfo=UTC),
        )
        store.record_instances([instance])
        store.open_revision(study_uid, input_digest([instance]))
        job = store.claim("test", 60.0)
        assert job is not None
        return job

    return opened


@pytest.fixture
def delivered(store, open_job, tmp_path):
    """A delivered job with a picture and numbers on disk."""
    job = open_job()
    store.enter_stage(job, Stage.READ)
    store.leave_stage(job, Stage.READ, 1.5)
    folder = tmp_path / "results" / "run"
    folder.mkdir(parents=True)
    files = []
    for kind, name, media_type, content in (
        ("mip", "mip_coronal.png", "image/png", b"\x89PNG synthetic"),
        ("measurements", "measurements.json", "application/json", b"{}\n"),
        ("seg", "seg_1.dcm", "application/dicom", b"DICM synthetic"),
    ):
        (folder / name).write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        files.append(ResultFile(kind, name, media_type, f"run/{name}", digest))
    store.keep_summary(
        job,
        {
            "tdv_ml": 12.34,
            "gadc_um2_s": 801.6,
            "n_lesions": 3,
            "quality": [],
            "coverage_status": "partial",
            "burden": {
                "method": "network",
                "model": {"name": "disease", "version": "0.2.0", "sha256": "ef" * 32},
                "threshold": 0.45,
                "threshold_of": "probability",
                "definition": "burden",
            },
        },
    )
    store.keep_results(job, files)
    store.deliver(job)
    return job


@pytest.fixture
def rejected(store, open_job):
    job = open_job(2)
    series = {
        "series_number": 7,
        "n_instances": 3,
        "role": "not diffusion",
        "b_values": [],
        "used": False,
        "code": "NO_DIFFUSION",
        "reason": "no <b>b-value</b>.",
    }
    store.keep_summary(job, {"series": [series]})
    store.reject(job, Failure("NO_USABLE", "nothing to measure", Stage.READ))
    return job
