"""What every database has to know of results on their way: the same body over both."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import MetaData, insert

from jobs.errors import ResultConflict
from jobs.job import EventKind, Failure, JobState, Stage
from jobs.migrate import bring_to, changing_schema, upgrade
from jobs.result import DeliveryStatus, ResultFile
from jobs.store import JobStore

QUEUED, SENT = DeliveryStatus.QUEUED, DeliveryStatus.SENT
COMMITTED, FOUND = DeliveryStatus.COMMITTED, DeliveryStatus.FOUND
REFUSED = DeliveryStatus.REFUSED
AWAY = Failure("PEER_UNAVAILABLE", "the PACS is away", Stage.DELIVER, retryable=True)
PAUSES_S = (10.0, 30.0, 120.0)


def dicom(number, kind="seg"):
    name = f"{kind}_{number}.dcm"
    return ResultFile(
        kind, name, "application/dicom", name, "1" * 64, "1.2", f"2.25.{number}", "2.25.99"
    )


SEG, SR = dicom(1), dicom(2, "sr")
NUMBERS = ResultFile("measurements", "measurements.json", "application/json", "m", "2" * 64)


@pytest.fixture
def opened(store, arrivals):
    """Open jobs that are held, with results."""

    def open_job(study="1.2", results=(SEG, SR, NUMBERS)):
        store.record_instances(arrivals(study))
        store.open_revision(study, study.ljust(64, "d"))
        job = store.claim("w", 30)
        store.keep_results(job, results)
        return job

    return open_job


@pytest.fixture
def job(opened):
    return opened()


def ways(store, job, destination="PACS"):
    found = (d for d in store.deliveries(job.id) if d.destination == destination)
    return {d.sop_instance_uid: d.status for d in found}


def test_the_way_of_an_object_to_a_destination(store, job, clock):
    store.expect_delivery(job, "PACS")
    store.expect_delivery(job, "PACS")

    def way():
        first, _other = store.deliveries(job.id)
        return first.status, first.attempts, first.last_status

    assert way() == (QUEUED, 0, None)
    store.mark_not_sent(job, "2.25.1", "PACS", 0xA700)
    assert way() == (QUEUED, 1, 0xA700)
    clock.forward(5)
    store.mark_sent(job, "2.25.1", "PACS", 0x0000)
    assert way() == (SENT, 2, 0)
    store.mark_proven(job, "PACS", ["2.25.1"], COMMITTED)
    assert way() == (COMMITTED, 2, 0)
    store.expect_delivery(job, "PACS")
    assert way() == (COMMITTED, 2, 0)
    first, other = store.deliveries(job.id)
    assert (first.name, first.sent_at, first.updated_at) == (SEG.name, clock.now, clock.now)
    assert (other.status, other.sent_at) == (QUEUED, None)
    told = store.events(job.id)[-3:]
    assert [event.kind for event in told] == [EventKind.NOT_SENT, EventKind.SENT, EventKind.STORED]
    assert told[-1].data["outcome"] == "committed"


def test_only_the_kinds_that_a_destination_wants_go_there(store, job):
    store.expect_delivery(job, "VIEWER", ["seg"])
    assert ways(store, job, "VIEWER") == {"2.25.1": QUEUED}


def test_each_destination_has_its_own_way(store, job):
    store.mark_sent(job, "2.25.1", "A", 0)
    store.mark_refused(job, "2.25.1", "B", 0x0122)
    found = {d.destination: (d.status, d.attempts, d.code) for d in store.deliveries(job.id)}
    assert found == {"A": (SENT, 1, None), "B": (REFUSED, 1, "PEER_REFUSED")}


def test_an_object_that_was_not_kept_cannot_be_sent(store, job):
    with pytest.raises(ResultConflict, match="keep it first"):
        store.mark_sent(job, "2.25.7", "PACS", 0)
    assert store.deliveries(job.id) == ()


def test_what_is_not_sent_is_not_proven(store, job):
    store.expect_delivery(job, "PACS")
    store.mark_proven(job, "PACS", ["2.25.1", "2.25.2"], FOUND)
    assert set(ways(store, job).values()) == {QUEUED}


def test_what_turned_out_not_to_be_there_is_sent_again_and_counted(store, job):
    for times in (1, 2):
        store.mark_sent(job, "2.25.1", "PACS", 0)
        store.mark_lost(job, "PACS", ["2.25.1"])
        (way,) = store.deliveries(job.id)
        assert (way.status, way.lost, way.attempts, way.code) == (
            QUEUED,
            times,
            times,
            "NOT_STORED",
        )
    assert store.give_up(job, "PACS", "NOT_STORED", ["2.25.1"]) == 1
    assert ways(store, job) == {"2.25.1": REFUSED}


def test_a_job_is_due_when_the_first_of_its_destinations_is(store, job, clock):
    assert store.next_delivery_s(job.id, ["PACS", "ARCHIVE"]) is None
    store.expect_delivery(job, "PACS")
    store.expect_delivery(job, "ARCHIVE")
    assert store.next_delivery_s(job.id, ["PACS", "ARCHIVE"]) == 0.0
    store.put_off(job, "PACS", (600.0, "PEER_UNAVAILABLE"))
    store.put_off(job, "ARCHIVE", (30.0, "PEER_UNAVAILABLE"))
    assert store.next_delivery_s(job.id, ["PACS", "ARCHIVE"]) == 30.0
    store.give_up(job, "ARCHIVE", "GIVEN_UP")
    clock.forward(1)
    assert store.next_delivery_s(job.id, ["PACS", "ARCHIVE"]) == 599.0
    (way, *_) = [d for d in store.deliveries(job.id) if d.destination == "PACS"]
    assert way.next_try_at == clock.now + timedelta(seconds=599)


def test_a_person_who_tries_again_sends_what_was_refused_and_nothing_else(store, job):
    store.mark_sent(job, "2.25.1", "PACS", 0)
    store.mark_proven(job, "PACS", ["2.25.1"], COMMITTED)
    store.mark_refused(job, "2.25.2", "PACS", 0xA900)
    store.hold(job, Failure("PEER_REFUSED", "refused"))
    store.requeue(job.id)
    assert ways(store, job) == {"2.25.1": COMMITTED, "2.25.2": QUEUED}


def test_a_destination_that_is_away_is_left_in_peace_for_growing_pauses(store, clock):
    assert store.may_call("PACS") == 0.0
    pauses = []
    for _ in range(4):
        pauses.append(store.destination_failed("PACS", "PEER_UNAVAILABLE", PAUSES_S))
        assert store.may_call("PACS") == pauses[-1]
        assert store.may_call("ARCHIVE") == 0.0
        clock.forward(pauses[-1])
        assert store.may_call("PACS") == 0.0  # one job tries
        assert store.may_call("PACS") > 0.0  # and no other does meanwhile
    assert pauses == [10.0, 30.0, 120.0, 120.0]
    (away,) = store.destinations_away()
    assert (away.name, away.failures, away.code) == ("PACS", 4, "PEER_UNAVAILABLE")
    assert away.failed_since == clock.now - timedelta(seconds=280)
    store.destination_answered("PACS")
    assert (store.may_call("PACS"), store.destinations_away()) == (0.0, ())


def test_a_probe_that_died_is_followed_by_another(store, clock):
    store.destination_failed("PACS", "PEER_UNAVAILABLE", PAUSES_S)
    clock.forward(10)
    assert store.may_call("PACS") == 0.0
    clock.forward(600)
    assert store.may_call("PACS") == 0.0


def test_of_many_jobs_that_wait_one_probes_and_all_are_due_when_it_answers(store, opened, clock):
    jobs = [opened(f"1.{n}", (dicom(n),)) for n in (1, 2, 3)]
    for job in jobs:
        store.expect_delivery(job, "PACS")
        again_s = store.destination_failed("PACS", "PEER_UNAVAILABLE", PAUSES_S)
        store.put_off(job, "PACS", (again_s, "PEER_UNAVAILABLE"))
        store.retry(job, AWAY, again_s, spend_attempt=False)
    clock.forward(121)  # the pause of the third failure, not what the others wait beyond it
    probing = store.claim("w", 30)
    assert probing is not None
    assert store.claim("w", 30) is None
    store.destination_answered("PACS")
    assert {store.claim("w", 30).id for _ in range(2)} == {j.id for j in jobs} - {probing.id}


def test_a_job_that_waits_for_another_destination_too_keeps_its_turn(store, opened, clock):
    both, only = opened("1.1", (dicom(1),)), opened("1.2", (dicom(2),))
    store.expect_delivery(both, "ARCHIVE")
    for job in (both, only):
        store.expect_delivery(job, "PACS")
        store.retry(job, AWAY, 5.0, spend_attempt=False)
    store.destination_failed("PACS", "PEER_UNAVAILABLE", PAUSES_S)
    clock.forward(6)
    assert store.claim("w", 30).id == both.id
    assert store.claim("w", 30) is None


def test_a_report_of_commitment_ends_the_waiting(store, job):
    for uid in ("2.25.1", "2.25.2"):
        store.mark_sent(job, uid, "PACS", 0)
    store.ask_commitment(job, "PACS", ["2.25.1", "2.25.2"], ("2.25.777", 600.0))
    assert store.next_delivery_s(job.id, ["PACS", "ARCHIVE"]) == 600.0
    store.retry(job, AWAY, 600.0, spend_attempt=False)
    assert store.claim("w", 30) is None
    assert store.commitment_reported("2.25.777", ["2.25.1"], {"2.25.2": 0x0112}) == job.id
    assert ways(store, job) == {"2.25.1": COMMITTED, "2.25.2": QUEUED}
    assert store.claim("w", 30).id == job.id  # at once
    assert store.next_delivery_s(job.id, ["PACS", "ARCHIVE"]) == 0.0


@pytest.mark.parametrize(
    ("reason", "status", "code"),
    [
        (0x0112, QUEUED, "NOT_STORED"),  # no such object instance: send it again
        (0x0110, SENT, "COMMITMENT_FAILED"),  # processing failure: the query decides
        (0x0213, SENT, "COMMITMENT_FAILED"),  # out of resources
        (0x0119, REFUSED, "COMMITMENT_0x0119"),  # class and instance conflict: a person looks
    ],
)
def test_what_a_reason_of_failure_means(store, job, reason, status, code):
    store.mark_sent(job, "2.25.1", "PACS", 0)
    store.ask_commitment(job, "PACS", ["2.25.1"], ("2.25.777", 600.0))
    store.commitment_reported("2.25.777", [], {"2.25.1": reason})
    (way,) = store.deliveries(job.id)
    assert (way.status, way.code) == (status, code)


def test_a_late_report_still_counts_and_one_of_nobody_does_not(store, job):
    store.mark_sent(job, "2.25.1", "PACS", 0)
    store.ask_commitment(job, "PACS", ["2.25.1"], ("2.25.777", 600.0))
    store.mark_proven(job, "PACS", ["2.25.1"], FOUND)
    store.deliver(job)
    assert store.commitment_reported("2.25.778", ["2.25.1"], {}) is None
    assert ways(store, job) == {"2.25.1": FOUND}
    for _ in range(2):
        assert store.commitment_reported("2.25.777", ["2.25.1"], {}) == job.id
    assert ways(store, job) == {"2.25.1": COMMITTED}
    assert store.job(job.id).state is JobState.DELIVERED


def test_a_report_names_only_what_was_asked_for(store, job):
    store.mark_sent(job, "2.25.1", "PACS", 0)
    store.mark_sent(job, "2.25.2", "PACS", 0)
    store.ask_commitment(job, "PACS", ["2.25.1"], ("2.25.777", 600.0))
    store.commitment_reported("2.25.777", ["2.25.1", "2.25.2", "2.25.9"], {})
    assert ways(store, job) == {"2.25.1": COMMITTED, "2.25.2": SENT}


def test_an_object_that_was_sent_again_waits_for_its_new_request(store, job):
    store.mark_sent(job, "2.25.1", "PACS", 0)
    store.ask_commitment(job, "PACS", ["2.25.1"], ("2.25.777", 600.0))
    store.mark_lost(job, "PACS", ["2.25.1"])
    store.mark_sent(job, "2.25.1", "PACS", 0)
    store.commitment_reported("2.25.777", ["2.25.1"], {})  # of the first time
    assert ways(store, job) == {"2.25.1": SENT}


def test_deliveries_of_older_software_keep_their_meaning(empty_database):
    words = ("pending", "sent", "stored", "failed")
    at = datetime(2026, 1, 1, tzinfo=UTC)
    with changing_schema(empty_database) as connection:
        bring_to(connection, "0009")
        there = MetaData()
        there.reflect(connection)

        def put(table, **row):
            connection.execute(insert(there.tables[table]).values(row))

        put("studies", uid="1.2", revision=1, n_instances=1, n_series=1, **_times(at, "received"))
        attempts = {"attempt": 1, "max_attempts": 3, "fence": 1, "progress": 0, "priority": 0}
        key = {"study_uid": "1.2", "revision": 1, "input_digest": "d", "state": "running"}
        put("jobs", id="j", **key, **attempts, created_at=at, updated_at=at)
        for n, word in enumerate(words, start=1):
            file = {"kind": "seg", "name": f"f{n}", "media_type": "m", "path": "p", "sha256": "x"}
            uid = f"2.25.{n}"
            put("results", id=n, job_id="j", **file, sop_instance_uid=uid, created_at=at)
            way = {"destination": "PACS", "status": word, "attempts": 1}
            put("deliveries", result_id=n, **way, updated_at=at)
    upgrade(empty_database)
    with JobStore(empty_database) as store:
        found = [(d.sop_instance_uid, str(d.status), d.lost) for d in store.deliveries("j")]
    assert found == [
        ("2.25.1", "queued", 0),
        ("2.25.2", "sent_only", 0),
        ("2.25.3", "committed", 0),
        ("2.25.4", "refused", 0),
    ]


def _times(at, verb):
    return {f"first_{verb}_at": at, f"last_{verb}_at": at}
