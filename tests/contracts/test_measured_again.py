"""A study that is measured again by a person's decision: the same body over both databases."""

import pytest

from jobs.errors import IllegalMove, UnknownStudy
from jobs.job import EventKind, Failure, JobState, Priority
from jobs.study import input_digest

REFUSED = Failure("PEER_REFUSED", "the archive refused it")


@pytest.fixture
def first(store, arrivals):
    """The job of a study that has arrived."""
    store.record_instances(arrivals("1.2"))
    return store.open_revision("1.2", input_digest(arrivals("1.2")))


@pytest.fixture
def held(store, first):
    return store.claim("worker", 60.0, first.id)


def test_the_same_images_get_a_revision_of_their_own_that_waits_behind_all_others(
    store, held, arrivals
):
    store.deliver(held)
    again = store.measure_again("1.2")
    assert (again.revision, again.state, again.attempt) == (2, JobState.QUEUED, 0)
    assert again.priority == Priority.REPROCESS < Priority.ROUTINE
    assert store.study("1.2").revision == 2
    assert store.instances("1.2", 2) == store.instances("1.2", 1) != ()
    assert store.job(held.id).state is JobState.DELIVERED
    store.record_instances(arrivals("1.3"))
    routine = store.open_revision("1.3", input_digest(arrivals("1.3")))
    assert [job.id for job in store.due()] == [routine.id, again.id]


def test_it_may_be_measured_again_and_again_and_new_images_still_count(store, held, arrivals):
    store.deliver(held)
    for revision in (2, 3):
        again = store.measure_again("1.2")
        assert again.revision == revision
        store.deliver(store.claim("worker", 60.0, again.id))
    assert len({job.input_digest for job in store.jobs()}) == 3
    assert store.open_revision("1.2", input_digest(arrivals("1.2"))) is None  # came again
    store.record_instances(arrivals("1.2", 5))
    assert len(store.late_instances("1.2")) == 2
    fourth = store.open_revision("1.2", input_digest(arrivals("1.2", 5)))
    assert (fourth.revision, fourth.priority) == (4, Priority.ROUTINE)
    assert len(store.instances("1.2", 4)) == 5


def test_images_that_wait_for_their_own_revision_are_not_taken_in(store, held, arrivals):
    store.deliver(held)
    store.record_instances(arrivals("1.2", 5))
    again = store.measure_again("1.2")
    assert len(store.instances("1.2", again.revision)) == 3
    assert len(store.late_instances("1.2")) == 2


def test_a_job_that_is_held_is_replaced_and_its_urgency_stays(store, arrivals):
    store.record_instances(arrivals("1.2"))
    digest = input_digest(arrivals("1.2"))
    urgent = store.open_revision("1.2", digest, priority=int(Priority.URGENT))
    store.hold(store.claim("worker", 60.0, urgent.id), REFUSED)
    again = store.measure_again("1.2")
    assert again.priority == Priority.URGENT
    replaced = store.job(urgent.id)
    assert (replaced.state, replaced.failure.code) == (JobState.REJECTED, "SUPERSEDED")
    assert store.events(urgent.id)[-1].kind is EventKind.REJECTED


def test_what_still_arrives_waits_or_runs_is_not_measured_again(store, arrivals):
    with pytest.raises(UnknownStudy):
        store.measure_again("1.2")
    store.record_instances(arrivals("1.2"))
    with pytest.raises(IllegalMove, match="still arrives"):
        store.measure_again("1.2")
    job = store.open_revision("1.2", input_digest(arrivals("1.2")))
    with pytest.raises(IllegalMove, match="is queued"):
        store.measure_again("1.2")
    store.claim("worker", 60.0, job.id)
    with pytest.raises(IllegalMove, match="is running"):
        store.measure_again("1.2")
    assert len(store.jobs()) == 1
