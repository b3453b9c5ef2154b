"""What every database has to know of delivered results that are to be sent once more."""

import pytest

from jobs.errors import IllegalMove, UnknownJob
from jobs.examination import ExaminationRecord
from jobs.job import EventKind, Failure, JobState
from jobs.result import DeliveryStatus, ResultFile

FILES = tuple(
    ResultFile("seg", name, "application/dicom", f"r/{name}", digest * 64, "1.1", uid, "1.9")
    for name, digest, uid in (("seg.dcm", "a", "1.5.1"), ("sr.dcm", "b", "1.5.2"))
)


@pytest.fixture
def delivered(store, arrivals):
    """A job whose two objects PACS and ARCHIVE have."""
    store.record_instances(arrivals("1.1"))
    store.open_revision("1.1", "d" * 64)
    job = store.claim("w", 30)
    store.keep_examination(job, ExaminationRecord("1.1", "k" * 64, "", "", "2026-01-01"))
    store.keep_results(job, FILES)
    for destination in ("PACS", "ARCHIVE"):
        store.expect_delivery(job, destination)
        for file in FILES:
            store.mark_sent(job, file.sop_instance_uid, destination, 0)
        store.mark_proven(job, destination, ["1.5.1"], DeliveryStatus.COMMITTED)
        store.mark_proven(job, destination, ["1.5.2"], DeliveryStatus.SENT_ONLY)
    store.deliver(job)
    return job


def test_only_the_named_destinations_wait_and_the_results_are_the_same(store, delivered):
    queued = store.send_again(delivered.id, ["PACS"])
    assert (queued.state, queued.attempt, queued.fence) == (JobState.QUEUED, 0, delivered.fence + 1)
    found = {(d.destination, d.name): d.status for d in store.deliveries(delivered.id)}
    assert found == {
        ("PACS", "seg.dcm"): DeliveryStatus.QUEUED,
        ("PACS", "sr.dcm"): DeliveryStatus.QUEUED,
        ("ARCHIVE", "seg.dcm"): DeliveryStatus.COMMITTED,
        ("ARCHIVE", "sr.dcm"): DeliveryStatus.SENT_ONLY,
    }
    assert store.results(delivered.id) == FILES
    last = store.events(delivered.id)[-1]
    assert (last.kind, last.data) == (EventKind.SEND_AGAIN, {"destinations": ["PACS"]})
    assert store.claim("w", 30).id == delivered.id


def test_its_results_stay_those_that_later_studies_are_compared_with(store, delivered):
    later = ExaminationRecord("1.2", "k" * 64, "", "", "2026-05-01")
    before = store.other_results(later)
    assert [one.job_id for one in before] == [delivered.id]
    store.send_again(delivered.id, ["PACS"])
    assert store.other_results(later) == before
    running = store.claim("w", 30)
    assert store.other_results(later) == before
    store.hold(running, Failure("PEER_REFUSED", "the PACS refused it"))
    assert store.other_results(later) == before


def test_who_held_the_job_before_writes_nothing_more(store, delivered):
    store.send_again(delivered.id, ["PACS"])
    with pytest.raises(IllegalMove):
        store.requeue(delivered.id)
    with pytest.raises(IllegalMove, match="stays valid"):
        store.cancel(delivered.id)
    assert not store.renew(delivered, 30)


def test_what_is_not_delivered_or_has_no_object_is_not_sent_again(store, delivered):
    store.send_again(delivered.id, ["PACS"])
    with pytest.raises(IllegalMove, match="queued"):
        store.send_again(delivered.id, ["PACS"])
    store.deliver(store.claim("w", 30))
    store.measure_again("1.1")
    with pytest.raises(IllegalMove, match="newer revision"):
        store.send_again(delivered.id, ["PACS"])
    again = store.claim("w", 30)
    store.deliver(again)
    with pytest.raises(IllegalMove, match="no object"):
        store.send_again(again.id, ["PACS"])
    with pytest.raises(UnknownJob):
        store.send_again("0" * 32, ["PACS"])
