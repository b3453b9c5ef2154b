from datetime import UTC, datetime

import pytest

from jobs.migrate import upgrade
from jobs.store import JobStore
from jobs.study import Instance, input_digest
from workers.configuration import Build, WorkerConfiguration

BUILD = Build("0.1.0", "abc123", "2.25.1", "0" * 64)
STUDY_UID = "2.25.100"


@pytest.fixture
def store(tmp_path):
    url = f"sqlite:///{tmp_path / 'store.sqlite'}"
    upgrade(url)
    with JobStore(url) as opened:
        yield opened


@pytest.fixture
def configuration(tmp_path):
    return WorkerConfiguration(
        store_url=f"sqlite:///{tmp_path / 'store.sqlite'}",
        spool_dir=tmp_path / "spool",
        results_dir=tmp_path / "results",
        anatomy_model=tmp_path / "model",
        build=BUILD,
        lease_s=30.0,
        poll_s=0.05,
    )


@pytest.fixture
def claimed(store):
    """A job that this test holds."""
    instance = Instance(
        sop_instance_uid="2.25.102",
        study_uid=STUDY_UID,
        series_uid="2.25.101",
        sop_class_uid="1.2.840.10008.5.1.4.1.1.4",
        transfer_syntax_uid="1.2.840.10008.1.2.1",
        sha256="a" * 64,
        size=10,
        path="studies/aa/bb.dcm",
        received_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    store.record_instances([instance])
    store.open_revision(STUDY_UID, input_digest([instance]))
    job = store.claim("test", 30.0)
    assert job is not None
    return job
