"""A study with a damaged image is rejected once, for that image; another study is not touched."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from dicom_objects.reading.diffusion import read_study
from jobs.job import EventKind, JobState, Stage
from jobs.study import Instance, input_digest
from tests.dicom_objects.reading.small_bodies import whole_body, write_images
from workers import processing
from workers.processing import Processing


class ReadingOnly:
    """The first step of the path, and no result."""

    def run(self, paths, _folder, run, recorder):
        with recorder.stage(Stage.READ):
            recorder.saw(read_study(paths, damaged=run.damaged).series)
        return SimpleNamespace(findings=None, files=())


@pytest.fixture(autouse=True)
def plain_summary(monkeypatch):
    monkeypatch.setattr(processing, "summarise", lambda _findings: {"tdv_ml": 1.0})


def queued(store, configuration, study_uid, damage):
    """Put a body of one station into the spool, an image of it damaged, and queue its job."""
    images = whole_body(stations=1, study_uid=study_uid)
    paths = write_images(images, configuration.spool_dir / study_uid)
    paths[5].write_bytes(damage(paths[5].read_bytes()))
    instances = [
        Instance(
            sop_instance_uid=image.SOPInstanceUID,
            study_uid=study_uid,
            series_uid=image.SeriesInstanceUID,
            sop_class_uid=image.SOPClassUID,
            transfer_syntax_uid="1.2.840.10008.1.2.1",
            sha256="a" * 64,
            size=path.stat().st_size,
            path=str(path.relative_to(configuration.spool_dir)),
            received_at=datetime(2026, 1, 1, tzinfo=UTC),
        )
        for image, path in zip(images, paths, strict=True)
    ]
    store.record_instances(instances)
    store.open_revision(study_uid, input_digest(instances))


def processed(store, configuration):
    job = store.claim("test", 60.0)
    Processing(store, configuration, ReadingOnly).process(job)
    return store.job(job.id)


def nested(data):
    at = data.index(b"\xe0\x7f\x10\x00")
    return (
        data[:at] + b"\x09\x00\x10\x10SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff" * 5000
    )


@pytest.mark.parametrize(
    ("damage", "code", "what"),
    [
        (lambda data: data[:-7], "DAMAGED_PIXELS", "series 1800, image 2 has pixel data"),
        (nested, "NESTED_TOO_DEEP", "has sequences nested more than 32 deep"),
    ],
)
def test_one_damaged_image_is_one_reason_at_the_first_attempt(
    store, configuration, damage, code, what
):
    queued(store, configuration, "2.25.501", damage)
    queued(store, configuration, "2.25.502", lambda data: data)
    rejected, whole = (processed(store, configuration) for _ in range(2))
    assert (rejected.state, rejected.failure.code) == (JobState.REJECTED, code)
    assert what in rejected.failure.message
    assert rejected.failure.message.endswith("send it again from the scanner.")
    assert "CANARY" not in rejected.failure.message
    assert whole.state is JobState.DELIVERED
    kinds = [event.kind for event in store.events(rejected.id)]
    assert kinds.count(EventKind.CLAIMED) == 1
    told = store.summary(rejected.id)["series"]
    assert code in {record["code"] for record in told}
