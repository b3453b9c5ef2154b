"""What every database has to know of earlier studies that an archive holds."""

from dataclasses import replace

import pytest

from jobs.errors import IllegalMove, LeaseLost
from jobs.examination import ExaminationRecord
from jobs.job import EventKind, Failure, JobState, Stage
from jobs.prior import FOUND, PriorState, WantedPrior

NOW, OLD = "1.9", "1.1"
WANTED = [WantedPrior(OLD, "20250115")]
WAITS = Failure("PRIORS_AWAITED", "it waits", retryable=True)


@pytest.fixture
def due(store, arrivals):
    """A claimed job of the study of now."""
    store.record_instances(arrivals(NOW, 1, 500))
    store.open_revision(NOW, "now")
    return store.claim("w", 30)


@pytest.fixture
def wished(store, due):
    store.begin_prior_search(due, 600)
    store.end_prior_search(due, FOUND, WANTED)
    return due


def fetched(store, arrivals, n=3):
    fetch = store.claim_prior("node", 60)
    store.record_instances(arrivals(OLD, n))
    store.prior_fetched(fetch)
    return fetch


def test_a_search_begins_once_and_has_an_end(store, due, clock):
    search = store.begin_prior_search(due, 600)
    assert (search.answered, store.past(search)) == (False, False)
    clock.forward(20)
    assert store.begin_prior_search(due, 600) == search
    clock.forward(580)
    assert store.past(search)
    store.end_prior_search(due, FOUND, WANTED, left_out=2)
    found = store.prior_search(NOW)
    assert (found.answered, found.code, found.left_out) == (True, FOUND, 2)
    assert store.prior_search(OLD) is None


def test_a_later_job_asks_again_where_an_older_one_could_not(store, due, clock):
    first = store.begin_prior_search(due, 600)
    store.end_prior_search(due, "PEER_UNAVAILABLE")
    assert store.begin_prior_search(due, 600).code == "PEER_UNAVAILABLE"  # the same job
    store.deliver(due)
    store.measure_again(NOW)
    clock.forward(1)
    again = store.begin_prior_search(store.claim("w", 30), 600)
    assert (again.code, again.wait_until > first.wait_until) == (None, True)


@pytest.mark.usefixtures("wished")
def test_what_is_wanted_is_fetched_by_one(store, clock):
    (wish,) = store.wished_priors(NOW)
    assert (wish.state, wish.taken_on, wish.awaited) == (PriorState.WANTED, "20250115", True)
    fetch = store.claim_prior("node 1", 60)
    assert fetch.study_uid == OLD
    assert store.claim_prior("node 2", 60) is None
    clock.forward(61)
    other = store.claim_prior("node 2", 60)
    assert other.attempt == 2
    with pytest.raises(LeaseLost):
        store.renew_prior(fetch, 60)
    with pytest.raises(LeaseLost):
        store.prior_fetched(fetch)
    store.prior_later(other, "PEER_UNAVAILABLE", 30)
    assert store.claim_prior("node 2", 60) is None
    clock.forward(30)
    assert store.claim_prior("node 2", 60).attempt == 3


@pytest.mark.usefixtures("wished")
def test_a_part_of_an_earlier_study_is_not_measured(store, arrivals):
    fetch = store.claim_prior("node", 60)
    store.record_instances(arrivals(OLD, 2))
    assert store.open_revision(OLD, "two") is None
    store.prior_failed(fetch, "PRIOR_INCOMPLETE")
    assert store.open_revision(OLD, "two") is None
    store.record_instances(arrivals(OLD, 1, 9))  # somebody sends it
    assert store.open_revision(OLD, "three").priority == 0
    assert not store.is_only_prior(OLD)


def test_an_earlier_study_runs_behind_the_one_that_wants_it(store, wished, arrivals):
    fetched(store, arrivals)
    assert store.held_counts(OLD) == {"1.1.1": 1, "1.1.2": 2}
    assert store.is_only_prior(OLD)
    assert store.open_revision(OLD, "old").priority == wished.priority - 1
    store.record_instances(arrivals(OLD, 1, 9))
    assert not store.is_only_prior(OLD)
    assert store.open_revision(OLD, "more").priority == 0


def test_who_waits_is_woken_when_the_earlier_study_ends(store, wished, arrivals):
    store.retry(wished, WAITS, 300, spend_attempt=False)
    fetched(store, arrivals)
    store.open_revision(OLD, "old")
    old = store.claim("w", 30)
    assert old.study_uid == OLD
    (wish,) = store.wished_priors(NOW)
    assert (wish.state, wish.awaited, wish.measured) == (PriorState.FETCHED, True, False)
    store.deliver(old)
    store.prior_ended(OLD)
    assert store.wished_priors(NOW)[0].measured
    assert store.claim("w", 30).study_uid == NOW
    assert EventKind.PRIOR_MEASURED not in [e.kind for e in store.events(wished.id)]


def test_who_waits_is_woken_when_it_is_not_to_be_had(store, wished):
    store.retry(wished, WAITS, 300, spend_attempt=False)
    assert store.claim("w", 30) is None
    store.prior_failed(store.claim_prior("node", 60), "RETRIEVE_REFUSED")
    (wish,) = store.wished_priors(NOW)
    assert (wish.awaited, wish.code) == (False, "RETRIEVE_REFUSED")
    assert store.claim("w", 30).study_uid == NOW


def test_who_was_compared_without_it_is_told(store, wished, arrivals):
    store.enter_stage(wished, Stage.DELIVER)
    store.deliver(wished)
    fetched(store, arrivals)
    store.open_revision(OLD, "old")
    store.deliver(store.claim("w", 30))
    store.prior_ended(OLD)
    (told,) = [e for e in store.events(wished.id) if e.kind is EventKind.PRIOR_MEASURED]
    assert told.data == {"prior": OLD, "taken_on": "20250115"}


def test_what_comes_by_itself_is_waited_for_and_not_fetched(store, due, arrivals):
    store.record_instances(arrivals(OLD, 2))
    store.begin_prior_search(due, 600)
    store.end_prior_search(due, FOUND, WANTED)
    assert store.claim_prior("node", 60) is None
    (wish,) = store.wished_priors(NOW)
    assert (wish.state, wish.awaited) == (PriorState.FETCHED, True)
    job = store.open_revision(OLD, "old")
    assert (job.priority, store.is_only_prior(OLD)) == (0, False)
    store.deliver(store.claim("w", 30, job.id))
    (wish,) = store.wished_priors(NOW)
    assert (wish.awaited, wish.measured) == (False, True)


def test_what_lies_here_without_images_is_fetched(store, due, arrivals, clock):
    store.record_instances(arrivals(OLD, 1))
    clock.forward(3601)
    store.renew(due, 60)
    store.begin_prior_search(due, 600)
    store.end_prior_search(due, FOUND, WANTED)
    assert store.claim_prior("node", 60).study_uid == OLD


def test_what_was_measured_before_is_not_wished_for(store, due, arrivals):
    store.record_instances(arrivals(OLD, 2))
    store.deliver(store.claim("w", 30, store.open_revision(OLD, "old").id))
    store.begin_prior_search(due, 600)
    store.end_prior_search(due, FOUND, WANTED)
    assert store.wished_priors(NOW) == ()


def test_an_ordinary_study_that_ends_is_nobodys_earlier_one(store, due):
    store.deliver(due)
    store.prior_ended(NOW)
    assert EventKind.PRIOR_MEASURED not in [event.kind for event in store.events(due.id)]


def test_what_failed_is_wanted_again_by_a_later_study(store, wished, arrivals):
    store.prior_failed(store.claim_prior("node", 60), "PRIOR_INCOMPLETE")
    store.deliver(wished)
    store.record_instances(arrivals("1.10", 1, 700))
    store.open_revision("1.10", "later", priority=10)
    later = store.claim("w", 30)
    store.begin_prior_search(later, 600)
    store.end_prior_search(later, FOUND, WANTED)
    assert store.claim_prior("node", 60).attempt == 1


ONE = ExaminationRecord("1.5", "a" * 64, "b" * 64, "c" * 64, "2026-01-01")


def test_a_held_identity_is_released_by_a_person_and_nothing_else_is(store, due):
    store.keep_examination(due, replace(ONE, study_uid=NOW))
    store.hold(due, Failure("PEER_REFUSED", "no"))
    with pytest.raises(IllegalMove, match="identity"):
        store.release(due.id)
    store.requeue(due.id)
    store.hold(store.claim("w", 30), Failure("IDENTITY_CONFLICT", "whose?"))
    assert not store.released(NOW)
    assert store.release(due.id).state is JobState.QUEUED
    assert store.released(NOW)
    with pytest.raises(IllegalMove):
        store.release(due.id)
    assert store.events(due.id)[-1].kind is EventKind.RELEASED


def test_only_measured_studies_say_who_is_under_an_id(store, due):
    record = replace(ONE, study_uid=NOW)
    store.keep_examination(due, record)
    asking = replace(record, study_uid="1.7", birth_key="f" * 64)
    assert store.under_same_id(asking) == ()
    store.deliver(due)
    assert store.under_same_id(asking) == (record,)
    assert store.under_same_id(record) == ()
    assert store.under_same_id(replace(asking, patient_key="")) == ()
