"""What every database has to keep of a job's results: the same body over SQLite and PostgreSQL."""

from dataclasses import replace

import pytest

from jobs.errors import ResultConflict
from jobs.job import EventKind
from jobs.result import DeliveryStatus, ResultFile

SEG = ResultFile(
    kind="seg",
    name="station-1.dcm",
    media_type="application/dicom",
    path="ab/station-1.dcm",
    sha256="1" * 64,
    sop_class_uid="1.2.840.10008.5.1.4.1.1.66.4",
    sop_instance_uid="2.25.1",
    series_uid="2.25.2",
)
NUMBERS = ResultFile("measurements", "measurements.json", "application/json", "ab/m", "2" * 64)


@pytest.fixture
def job(store, arrivals):
    store.record_instances(arrivals("1.2"))
    store.open_revision("1.2", "d" * 64)
    return store.claim("w", 30)


def test_results_come_back_as_they_were_kept(store, job):
    store.keep_results(job, [SEG, NUMBERS])
    store.keep_results(job, [SEG, NUMBERS])
    assert store.results(job.id) == (SEG, NUMBERS)


def test_other_bytes_under_a_uid_are_refused(store, job):
    store.keep_results(job, [SEG])
    for other in (replace(SEG, sha256="3" * 64), replace(SEG, name="other.dcm")):
        with pytest.raises(ResultConflict, match=r"2\.25\.1"):
            store.keep_results(job, [NUMBERS, other])
    assert store.results(job.id) == (SEG,)  # nothing of the refused group was kept


def test_a_uid_of_another_job_is_refused(store, job, arrivals):
    store.keep_results(job, [SEG])
    store.record_instances(arrivals("1.3"))
    store.open_revision("1.3", "e" * 64)
    with pytest.raises(ResultConflict, match=job.id):
        store.keep_results(store.claim("w", 30), [SEG])


def test_another_object_under_a_name_is_refused(store, job):
    store.keep_results(job, [SEG])
    with pytest.raises(ResultConflict, match=r"station-1\.dcm"):
        store.keep_results(job, [replace(SEG, sop_instance_uid="2.25.9", sha256="3" * 64)])


def test_a_document_may_be_written_again(store, job):
    store.keep_results(job, [NUMBERS])
    again = replace(NUMBERS, sha256="4" * 64)
    store.keep_results(job, [again])
    assert store.results(job.id) == (again,)


def test_documents_of_two_jobs_do_not_meet(store, job, arrivals):
    store.keep_results(job, [NUMBERS])
    store.record_instances(arrivals("1.3"))
    store.open_revision("1.3", "e" * 64)
    other = store.claim("w", 30)
    store.keep_results(other, [NUMBERS])
    assert store.results(job.id) == store.results(other.id) == (NUMBERS,)


def test_a_summary_is_kept_and_replaced(store, job):
    assert store.summary(job.id) is None
    store.keep_summary(job, {"tdv_ml": 1.5})
    store.keep_summary(job, {"tdv_ml": 2.5, "series": [{"code": "NO_B_VALUE"}]})
    assert store.summary(job.id) == {"tdv_ml": 2.5, "series": [{"code": "NO_B_VALUE"}]}


def test_a_summary_with_a_number_that_is_none_is_refused(store, job):
    with pytest.raises(ValueError, match="JSON"):
        store.keep_summary(job, {"gadc_um2_s": float("nan")})
    assert store.summary(job.id) is None


def test_the_way_of_an_object_to_a_destination(store, job, clock):
    store.keep_results(job, [SEG, NUMBERS])
    store.expect_delivery(job, "PACS")
    store.expect_delivery(job, "PACS")

    def way():
        (only,) = store.deliveries(job.id)
        return only.status, only.attempts, only.last_status

    assert way() == (DeliveryStatus.PENDING, 0, None)
    store.mark_not_sent(job, "2.25.1", "PACS", 0xA700)
    assert way() == (DeliveryStatus.PENDING, 1, 0xA700)
    clock.forward(5)
    store.mark_sent(job, "2.25.1", "PACS", 0x0000)
    assert way() == (DeliveryStatus.SENT, 2, 0)
    store.mark_stored(job, "2.25.1", "PACS")
    assert way() == (DeliveryStatus.STORED, 2, 0)
    store.expect_delivery(job, "PACS")
    assert way() == (DeliveryStatus.STORED, 2, 0)
    (delivery,) = store.deliveries(job.id)
    assert (delivery.sop_instance_uid, delivery.name) == ("2.25.1", "station-1.dcm")
    assert delivery.updated_at == clock.now
    kinds = [event.kind for event in store.events(job.id)][-3:]
    assert kinds == [EventKind.NOT_SENT, EventKind.SENT, EventKind.STORED]


def test_each_destination_has_its_own_way(store, job):
    store.keep_results(job, [SEG])
    store.mark_sent(job, "2.25.1", "A", 0)
    store.mark_refused(job, "2.25.1", "B", 0x0122)
    status = {d.destination: (d.status, d.attempts) for d in store.deliveries(job.id)}
    assert status == {"A": (DeliveryStatus.SENT, 1), "B": (DeliveryStatus.FAILED, 1)}


def test_an_object_that_was_not_kept_cannot_be_sent(store, job):
    with pytest.raises(ResultConflict, match="keep it first"):
        store.mark_sent(job, "2.25.1", "PACS", 0)
    assert store.deliveries(job.id) == ()
