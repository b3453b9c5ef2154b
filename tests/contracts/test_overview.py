"""How the work stands as a whole: the same body over SQLite and PostgreSQL."""

from jobs.job import Failure, JobState, Priority
from jobs.overview import PendingDeliveries
from jobs.result import ResultFile


def opened(store, arrivals, uid, priority=0, first=1):
    store.record_instances(arrivals(uid, first=first))
    return store.open_revision(uid, f"{uid}{first}".rjust(64, "0"), priority=priority)


def seg(number):
    uid = f"2.25.{number}"
    name = f"seg_{number}.dcm"
    return ResultFile("seg", name, "application/dicom", name, "1" * 64, "1.2.3", uid, "2.25.9")


def test_an_empty_store_has_nothing_to_tell(store):
    seen = store.overview()
    assert (seen.queued, seen.n_due, seen.due_for_s, seen.leases_run_out) == ({}, 0, 0.0, 0)
    assert (seen.codes, seen.failed_last_s, seen.pending, seen.received_last_s) == (
        {},
        None,
        (),
        None,
    )


def test_waiting_jobs_are_counted_by_priority_and_by_how_long_they_are_due(store, arrivals, clock):
    opened(store, arrivals, "1.1", Priority.URGENT)
    clock.forward(5)
    opened(store, arrivals, "1.2")
    opened(store, arrivals, "1.3")
    clock.forward(7)
    seen = store.overview()
    assert seen.queued == {Priority.URGENT: 1, Priority.ROUTINE: 2}
    assert (seen.n_due, seen.due_for_s, seen.received_last_s) == (3, 12.0, 7.0)
    store.claim("w", 30)
    assert store.overview().due_for_s == 7.0


def test_a_job_that_waits_for_its_retry_is_queued_and_not_due(store, arrivals, clock):
    opened(store, arrivals, "1.1")
    store.retry(store.claim("w", 30), Failure("AWAY", "away."), 60.0)
    seen = store.overview()
    assert (seen.queued, seen.n_due, seen.due_for_s) == ({0: 1}, 0, 0.0)
    clock.forward(64)
    seen = store.overview()
    assert (seen.n_due, seen.due_for_s) == (1, 4.0)


def test_a_lease_that_ran_out_is_counted_until_somebody_takes_the_job(store, arrivals, clock):
    opened(store, arrivals, "1.1")
    store.claim("w", 30)
    assert store.overview().leases_run_out == 0
    clock.forward(31)
    assert store.overview().leases_run_out == 1
    store.claim("other", 30)
    assert store.overview().leases_run_out == 0


def test_what_ended_badly_is_counted_by_code_until_newer_images_replace_it(store, arrivals, clock):
    opened(store, arrivals, "1.1")
    store.fail(store.claim("w", 30), Failure("INTERNAL", "a defect."))
    opened(store, arrivals, "1.2")
    store.hold(store.claim("w", 30), Failure("PEER_REFUSED", "refused."))
    clock.forward(9)
    seen = store.overview()
    assert seen.codes == {(JobState.FAILED, "INTERNAL"): 1, (JobState.HELD, "PEER_REFUSED"): 1}
    assert seen.failed_last_s == 9.0
    opened(store, arrivals, "1.1", first=10)
    opened(store, arrivals, "1.2", first=10)
    seen = store.overview()
    assert (seen.codes, seen.failed_last_s) == ({}, None)


def test_objects_on_their_way_are_counted_by_destination_and_age(store, arrivals, clock):
    opened(store, arrivals, "1.1")
    job = store.claim("w", 30)
    store.keep_results(job, [seg(1), seg(2)])
    clock.forward(3)
    for destination in ("archive", "pacs"):
        store.expect_delivery(job, destination)
    store.mark_sent(job, "2.25.1", "pacs", 0)
    store.mark_not_sent(job, "2.25.2", "pacs", None)
    clock.forward(4)
    assert store.overview().pending == (
        PendingDeliveries("archive", 2, 4.0),
        PendingDeliveries("pacs", 1, 4.0),
    )
    store.mark_refused(job, "2.25.2", "pacs", 0xA900)
    assert [row.destination for row in store.overview().pending] == ["archive"]
    store.fail(job, Failure("INTERNAL", "a defect."))
    assert store.overview().pending == ()  # nobody sends them: it counts as failed instead
