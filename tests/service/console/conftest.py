from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from jobs.job import Stage
from jobs.labels import StudyLabel
from jobs.study import Instance, input_digest
from service.api.app import create_app
from tests.service.sites import site_of
from tests.service.web import TestClient

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
NUMBERS = {
    "tdv_ml": 12.34,
    "gadc_um2_s": 801.6,
    "n_lesions": 3,
    "quality": [],
    "coverage_status": "complete",
}


@pytest.fixture
def site(store, tmp_path):
    return site_of(store, tmp_path, node_port=11112)


@pytest.fixture
def client(site):
    with TestClient(create_app(site), raise_server_exceptions=False) as opened:
        yield opened


@pytest.fixture
def arrive(store):
    """Let one more image of a study come; gives the study's UID."""
    numbers = count(1)

    def arrived(number):
        uid, one = f"2.25.{number}00", next(numbers)
        instance = Instance(
            sop_instance_uid=f"2.25.{number}02.{one}",
            study_uid=uid,
            series_uid=f"2.25.{number}01",
            sop_class_uid="1.2.840.10008.5.1.4.1.1.4",
            transfer_syntax_uid="1.2.840.10008.1.2.1",
            sha256="a" * 64,
            size=10,
            path=f"studies/{number}/{one}.dcm",
            received_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=number),
        )
        store.record_instances([instance])
        return uid

    return arrived


@pytest.fixture
def queue(store, arrive):
    """Close a study; gives its queued job."""

    def queued(number):
        uid = arrive(number)
        return store.open_revision(uid, input_digest(store.instances(uid)))

    return queued


@pytest.fixture
def begin(store, queue):
    """Have a worker take a study, named if asked; gives the running job."""

    def begun(number, name=""):
        job = store.claim("test", 60.0, queue(number).id)
        if name:
            label = StudyLabel(
                study_uid=job.study_uid,
                patient_name=name,
                patient_id=f"ID-{number}",
                accession_number=f"ACC-{number}",
                study_date="20260102",
            )
            store.keep_label(job, label)
        store.enter_stage(job, Stage.READ)
        return job

    return begun


@pytest.fixture
def deliver(store, begin):
    """Have a study measured and delivered; `more` goes into its summary."""

    def delivered(number, name="", **more):
        job = begin(number, name)
        store.leave_stage(job, Stage.READ, 2.0)
        store.keep_summary(job, NUMBERS | more)
        store.deliver(job)
        return job

    return delivered
