"""What every database has to do for a job: the same body over SQLite and PostgreSQL."""

import pytest

from jobs.errors import IllegalMove, LeaseLost, UnknownJob, UnknownStudy
from jobs.job import NEXT, EventKind, Failure, JobState, Priority, Stage
from jobs.result import DeliveryStatus
from jobs.study import input_digest

AWAY = Failure("PEER_AWAY", "the archive does not answer", Stage.DELIVER, retryable=True)
BUG = Failure("BUG", "something is wrong with us", Stage.MEASURE)


@pytest.fixture
def open_job(store, arrivals):
    """Let a study arrive and close it: `open_job("1.2")`."""

    def open_one(study_uid="1.2", **options):
        instances = arrivals(study_uid)
        store.record_instances(instances)
        return store.open_revision(study_uid, input_digest(instances), **options)

    return open_one


def kinds(store, job):
    return [str(event.kind) for event in store.events(job.id)]


def test_instances_are_indexed_once(store, arrivals, clock):
    first = clock.now
    assert store.record_instances(arrivals("1.2", 3)) == 3
    clock.forward(10)
    assert store.record_instances(arrivals("1.2", 5)) == 2
    study = store.study("1.2")
    assert (study.n_instances, study.n_series, study.revision) == (5, 2, 0)
    assert (study.first_received_at, study.last_received_at) == (first, clock.now)
    assert [i.size for i in store.instances("1.2")] == [1002, 1004, 1001, 1003, 1005]


def test_many_instances_of_many_studies_in_one_call(store, arrivals):
    assert store.record_instances(arrivals("1.2", 1200) + arrivals("1.3", 700)) == 1900
    assert store.study("1.3").n_instances == 700


def test_studies_are_paged_by_latest_arrival(store, arrivals, clock):
    for uid in ("1.1", "1.2", "1.3"):
        store.record_instances(arrivals(uid))
        clock.forward(1)
    assert [s.uid for s in store.studies(limit=2)] == ["1.3", "1.2"]
    assert [s.uid for s in store.studies(after="1.2")] == ["1.1"]


def test_a_revision_takes_in_what_arrived(store, arrivals, clock):
    instances = arrivals("1.2")
    store.record_instances(instances)
    assert [s.uid for s in store.open_studies()] == ["1.2"]
    job = store.open_revision("1.2", input_digest(instances), priority=3)
    assert (job.study_uid, job.revision, job.state, job.priority) == ("1.2", 1, "queued", 3)
    assert store.job(job.id) == job
    assert store.open_studies() == ()
    assert (store.study("1.2").revision, store.study("1.2").closed_at) == (1, clock.now)


def test_the_same_images_again_make_no_job(store, arrivals, open_job):
    open_job("1.2")
    store.record_instances(arrivals("1.2"))
    assert store.open_revision("1.2", input_digest(arrivals("1.2"))) is None
    assert store.study("1.2").revision == 1
    assert len(store.jobs()) == 1


def test_an_instance_that_came_during_the_decision_stays_open(store, arrivals):
    store.record_instances(arrivals("1.2", 4))
    decided = arrivals("1.2", 3)
    store.open_revision("1.2", input_digest(decided), [i.sop_instance_uid for i in decided])
    late = store.late_instances("1.2")
    assert set(late) == set(store.instances("1.2")) - set(decided)
    assert late
    assert [s.uid for s in store.open_studies()] == ["1.2"]
    assert len(store.instances("1.2", revision=1)) == 3


def test_more_images_replace_the_waiting_and_the_running_job(store, arrivals, open_job):
    open_job("1.2")
    running = store.claim("a", 30)
    store.record_instances(arrivals("1.2", 4))
    newer = store.open_revision("1.2", input_digest(arrivals("1.2", 4)))
    assert newer.revision == 2
    older = store.job(running.id)
    assert (older.state, older.failure.code) == (JobState.REJECTED, "SUPERSEDED")
    with pytest.raises(LeaseLost):
        store.enter_stage(running, Stage.FIT)
    with pytest.raises(LeaseLost):
        store.require_held(running)
    with pytest.raises(LeaseLost):
        store.deliver(running)
    assert store.newest_revisions({"1.2", "1.9"}) == {"1.2": 2}
    taken = store.claim("b", 30)
    assert (taken.id, taken.input_digest) == (newer.id, input_digest(arrivals("1.2", 4)))
    store.require_held(taken)
    assert len(store.instances("1.2", revision=1)) == 3
    assert len(store.instances("1.2", revision=2)) == 4


def test_late_images_of_an_urgent_study_are_as_urgent(store, arrivals, open_job):
    open_job(priority=int(Priority.URGENT))
    more = arrivals("1.2", 4)
    store.record_instances(more)
    assert store.open_revision("1.2", input_digest(more)).priority == Priority.URGENT


def test_a_failed_job_that_was_replaced_is_not_queued_again(store, arrivals, open_job):
    open_job("1.2")
    store.fail(store.claim("a", 30), BUG)
    failed = store.jobs(JobState.FAILED)[0]
    store.record_instances(arrivals("1.2", 4))
    store.open_revision("1.2", input_digest(arrivals("1.2", 4)))
    with pytest.raises(IllegalMove, match="newer revision"):
        store.requeue(failed.id)


def test_what_is_not_there_is_named(store):
    with pytest.raises(UnknownStudy, match=r"1\.9"):
        store.study("1.9")
    with pytest.raises(UnknownStudy):
        store.open_revision("1.9", "0" * 64)
    with pytest.raises(UnknownJob, match="feed"):
        store.job("feed")
    with pytest.raises(UnknownJob):
        store.requeue("feed")


def test_claims_go_by_priority_then_age(store, open_job, clock):
    old = open_job("1.1")
    clock.forward(1)
    young = open_job("1.2")
    urgent = open_job("1.3", priority=5)
    assert [store.claim("w", 30).id for _ in range(3)] == [urgent.id, old.id, young.id]
    assert store.claim("w", 30) is None


def test_a_job_is_claimed_by_name_when_it_is_due_and_not_otherwise(store, open_job, clock):
    first, named = open_job("1.2"), open_job("1.3")
    job = store.claim("w", 60, named.id)
    assert job.id == named.id
    assert store.claim("v", 60, named.id) is None  # somebody has it
    assert store.claim("v", 60, "0" * 32) is None  # nobody knows it
    store.retry(job, AWAY, 30)
    assert store.claim("v", 60, named.id) is None  # it waits
    clock.forward(31)
    assert store.claim("v", 60, named.id).id == named.id
    assert store.claim("w", 60).id == first.id


def test_what_is_due_is_what_a_claim_would_take_in_its_order(store, open_job, clock):
    routine, reprocess = open_job("1.2"), open_job("1.3", priority=Priority.REPROCESS)
    clock.forward(1)
    urgent, waiting = open_job("1.4", priority=Priority.URGENT), open_job("1.5")
    store.retry(store.claim("w", 60, waiting.id), AWAY, 30)
    left = store.claim("w", 5, routine.id)
    assert [job.id for job in store.due()] == [urgent.id, reprocess.id]
    clock.forward(6)  # its lease runs out
    assert [job.id for job in store.due()] == [urgent.id, left.id, reprocess.id]
    assert [job.id for job in store.due(limit=1)] == [urgent.id]
    assert store.job(left.id).state is JobState.RUNNING  # to ask changes nothing
    taken = [store.claim("v", 60).id for _ in range(3)]
    assert taken == [urgent.id, left.id, reprocess.id]
    assert store.due() == ()
    clock.forward(31)
    assert [job.id for job in store.due()] == [waiting.id]


def test_a_claim_says_who_until_when_and_which_attempt(store, open_job, clock):
    open_job()
    job = store.claim("worker 1", 30)
    assert (job.state, job.lease_owner, job.attempt, job.fence) == ("running", "worker 1", 1, 1)
    assert (job.lease_until - clock.now).total_seconds() == 30
    assert store.job(job.id) == job


def test_a_renewed_lease_holds(store, open_job, clock):
    open_job()
    job = store.claim("a", 30)
    clock.forward(29)
    assert store.renew(job, 30)
    clock.forward(29)
    assert store.claim("b", 30) is None
    assert store.job(job.id).lease_owner == "a"


def test_a_lease_that_ran_out_frees_the_job_and_fences_the_late_worker_off(store, open_job, clock):
    open_job()
    late = store.claim("a", 30)
    clock.forward(31)
    job = store.claim("b", 30)
    assert (job.id, job.attempt) == (late.id, 2)
    assert job.fence > late.fence
    before = (store.job(job.id), store.events(job.id))
    assert not store.renew(late, 30)
    for write in WRITES_OF_A_HOLDER:
        with pytest.raises(LeaseLost):
            write(store, late)
    assert (store.job(job.id), store.events(job.id)) == before
    assert (store.results(job.id), store.summary(job.id)) == ((), None)
    assert (store.stage_seconds(job.id), store.deliveries(job.id)) == ({}, ())
    assert kinds(store, job) == ["opened", "claimed", "lease_expired", "claimed"]


WRITES_OF_A_HOLDER = (
    lambda s, j: s.enter_stage(j, Stage.READ),
    lambda s, j: s.leave_stage(j, Stage.READ, 1.0),
    lambda s, j: s.progress(j, 0.5),
    lambda s, j: s.keep_results(j, []),
    lambda s, j: s.keep_summary(j, {"tdv_ml": 1.0}),
    lambda s, j: s.expect_delivery(j, "PACS"),
    lambda s, j: s.mark_sent(j, "1.2.3", "PACS", 0),
    lambda s, j: s.mark_not_sent(j, "1.2.3", "PACS", 0xA700),
    lambda s, j: s.mark_refused(j, "1.2.3", "PACS", 0x0122),
    lambda s, j: s.mark_proven(j, "PACS", ["1.2.3"], DeliveryStatus.FOUND),
    lambda s, j: s.mark_lost(j, "PACS", ["1.2.3"]),
    lambda s, j: s.give_up(j, "PACS", "GIVEN_UP"),
    lambda s, j: s.put_off(j, "PACS", (10, "PEER_UNAVAILABLE")),
    lambda s, j: s.drop_commitment(j, "2.25.7"),
    lambda s, j: s.ask_commitment(j, "PACS", ["1.2.3"], ("2.25.7", 10)),
    lambda s, j: s.deliver(j),
    lambda s, j: s.reject(j, BUG),
    lambda s, j: s.fail(j, BUG),
    lambda s, j: s.hold(j, BUG),
    lambda s, j: s.retry(j, AWAY, 10),
    lambda s, j: s.hand_back(j),
)


def test_attempts_that_all_died_fail_the_job(store, open_job, clock):
    job = open_job()
    for attempt in (1, 2, 3):
        assert store.claim("w", 30).attempt == attempt
        clock.forward(31)
    assert store.claim("w", 30) is None
    failed = store.job(job.id)
    assert (failed.state, failed.failure.code) == (JobState.FAILED, "ATTEMPTS_USED")
    assert kinds(store, job)[-1] == "failed"


def test_a_retry_waits_and_ends_when_the_attempts_are_used_up(store, open_job, clock):
    open_job()
    for _ in range(2):
        job = store.claim("w", 30)
        assert store.retry(job, AWAY, 60) == JobState.QUEUED
        assert store.job(job.id).failure == AWAY
        assert store.claim("w", 30) is None
        clock.forward(60)
    assert store.retry(store.claim("w", 30), AWAY, 60) == JobState.FAILED
    assert store.jobs()[0].failure == AWAY


def test_waiting_for_a_collaborator_spends_no_attempt(store, open_job, clock):
    open_job()
    for _ in range(10):
        store.retry(store.claim("w", 30), AWAY, 5, spend_attempt=False)
        clock.forward(5)
    assert store.claim("w", 30).attempt == 1


def test_a_graceful_stop_spends_no_attempt(store, open_job):
    open_job()
    store.hand_back(store.claim("w", 30))
    again = store.claim("w", 30)
    assert (again.attempt, again.fence) == (1, 2)


def test_a_person_queues_a_failed_job_again_with_all_its_attempts(store, open_job):
    open_job()
    store.fail(store.claim("w", 30), BUG)
    job = store.requeue(store.jobs(JobState.FAILED)[0].id)
    assert (job.state, job.attempt, job.failure) == (JobState.QUEUED, 0, None)
    assert store.claim("w", 30).attempt == 1


MOVES = {
    "deliver": (JobState.DELIVERED, lambda s, j: s.deliver(j)),
    "reject": (JobState.REJECTED, lambda s, j: s.reject(j, BUG)),
    "fail": (JobState.FAILED, lambda s, j: s.fail(j, BUG)),
    "hold": (JobState.HELD, lambda s, j: s.hold(j, BUG)),
    "retry": (JobState.QUEUED, lambda s, j: s.retry(j, AWAY, 0)),
    "hand_back": (JobState.QUEUED, lambda s, j: s.hand_back(j)),
    "requeue": (JobState.QUEUED, lambda s, j: s.requeue(j.id)),
    "cancel": (JobState.REJECTED, lambda s, j: s.cancel(j.id)),
}
OF_PERSONS = {"requeue", "cancel"}
# Who may move a job from where. The rest of NEXT is the store's own: claims, leases, newer images.
ALLOWED = {(JobState.RUNNING, name) for name in MOVES if name not in OF_PERSONS} | {
    (JobState.FAILED, "requeue"),
    (JobState.HELD, "requeue"),
    (JobState.QUEUED, "cancel"),
    (JobState.HELD, "cancel"),
}


def job_in(store, open_job, state, study_uid):
    # The priority grows, so that the claim takes this job and none that was queued again before.
    job = open_job(study_uid, priority=int(study_uid.rpartition(".")[2]))
    if state is not JobState.QUEUED:
        job = store.claim("w", 30)
        reach = {t: move for n, (t, move) in MOVES.items() if n not in OF_PERSONS}
        if state is not JobState.RUNNING:
            reach[state](store, job)
    return store.job(job.id)


@pytest.mark.parametrize("state", JobState)
def test_every_move_is_made_or_refused_as_the_table_says(store, open_job, state):
    for number, (name, (target, move)) in enumerate(MOVES.items()):
        job = job_in(store, open_job, state, f"1.{number}")
        if (state, name) in ALLOWED:
            assert target in NEXT[state]
            move(store, job)
            assert store.job(job.id).state == target
        else:
            before = (job, store.events(job.id))
            with pytest.raises(IllegalMove):
                move(store, job)
            assert (store.job(job.id), store.events(job.id)) == before


def test_events_stand_in_order_and_resume_after_an_id(store, open_job):
    open_job()
    job = store.claim("w", 30)
    store.enter_stage(job, Stage.READ)
    for fraction in (0.25, 0.251, 0.5):
        store.progress(job, fraction)
    store.leave_stage(job, Stage.READ, 1.5)
    store.deliver(job)
    events = store.events(job.id)
    assert [(e.kind, e.stage) for e in events] == [
        (EventKind.OPENED, None),
        (EventKind.CLAIMED, None),
        (EventKind.STAGE_STARTED, Stage.READ),
        (EventKind.PROGRESS, Stage.READ),
        (EventKind.PROGRESS, Stage.READ),
        (EventKind.STAGE_FINISHED, Stage.READ),
        (EventKind.DELIVERED, None),
    ]
    assert [e.id for e in events] == sorted({e.id for e in events})
    assert store.events(job.id, after=events[4].id) == events[5:]
    assert store.events(job.id, after=events[1].id, limit=2) == events[2:4]
    assert events[5].data == {"seconds": 1.5}


def test_stage_times_are_kept_for_the_metrics(store, open_job):
    for uid, seconds in (("1.1", 2.0), ("1.2", 3.0)):
        open_job(uid)
        job = store.claim("w", 30)
        store.leave_stage(job, Stage.FIT, 9.0)
        store.leave_stage(job, Stage.FIT, seconds)
    assert store.stage_seconds(job.id) == {"fit": 3.0}
    assert store.stage_totals() == {"fit": (2, 5.0)}


def test_counts_and_the_oldest_wait(store, open_job, clock):
    assert set(store.counts().values()) == {0}
    assert store.oldest_queued_age_s() is None
    open_job("1.1")
    clock.forward(7)
    open_job("1.2")
    assert store.oldest_queued_age_s() == 7
    store.claim("w", 30)
    clock.forward(1)
    assert store.oldest_queued_age_s() == 1
    assert (store.counts()[JobState.QUEUED], store.counts()[JobState.RUNNING]) == (1, 1)
    assert [j.study_uid for j in store.jobs(study_uid="1.1")] == ["1.1"]


def test_a_nul_in_a_failure_is_kept_out_of_the_database(store, open_job):
    open_job()
    store.fail(store.claim("w", 30), Failure("BAD_HEADER", "a header held \x00 bytes"))
    assert store.jobs()[0].failure.message == "a header held \ufffd bytes"
