"""Which workers are there, what the last day was, when a stage ran last: over both databases."""

from datetime import timedelta

from jobs.job import Failure, JobState, Stage


def claimed(store, arrivals, uid, first=1, owner="host:1"):
    store.record_instances(arrivals(uid, 1, first))
    store.open_revision(uid, f"{first:064x}")
    return store.claim(owner, 30)


def test_a_worker_is_there_as_long_as_it_says_so(store, clock):
    store.tell_worker("host:1", "1.0", 30.0)
    started = clock.now
    clock.forward(10)
    store.tell_worker("host:1", "1.0", 30.0)
    clock.forward(7)
    (worker,) = store.workers()
    assert (worker.owner, worker.version, worker.started_at) == ("host:1", "1.0", started)
    assert (worker.silent_s, worker.there, worker.jobs) == (7.0, True, ())
    clock.forward(24)
    (worker,) = store.workers()
    assert (worker.silent_s, worker.there) == (31.0, False)


def test_one_that_left_is_gone_and_one_that_died_is_forgotten_after_a_day(store, clock):
    store.tell_worker("host:1", "1.0", 30.0)
    store.tell_worker("host:2", "1.0", 30.0)
    store.worker_left("host:1")
    assert [worker.owner for worker in store.workers()] == ["host:2"]
    clock.forward(timedelta(days=1).total_seconds() + 31)
    store.tell_worker("host:3", "1.0", 30.0)
    assert [worker.owner for worker in store.workers()] == ["host:3"]


def test_leases_say_what_each_works_on_and_name_one_that_never_spoke(store, arrivals):
    store.tell_worker("host:1", "1.0", 30.0)
    mine = claimed(store, arrivals, "1.1")
    other = claimed(store, arrivals, "1.2", 2, "old:9")
    first, second = store.workers()
    assert [job.id for job in first.jobs] == [mine.id]
    assert (second.owner, second.there, second.silent_s) == ("old:9", False, None)
    assert [job.id for job in second.jobs] == [other.id]


def test_the_last_day_counts_what_came_and_how_it_ended(store, arrivals, clock):
    store.deliver(claimed(store, arrivals, "1.0"))
    clock.forward(86401)
    store.deliver(claimed(store, arrivals, "1.1", 2))
    store.reject(claimed(store, arrivals, "1.2", 3), Failure("NO_USABLE", "nothing"))
    store.fail(claimed(store, arrivals, "1.3", 4), Failure("BUG", "a bug"))
    claimed(store, arrivals, "1.4", 5)
    store.record_instances(arrivals("1.4", 1, 6))
    store.open_revision("1.4", "f" * 64)  # the running job is replaced
    day = store.last_day()
    assert day.received == 4
    assert day.fates == {
        JobState.DELIVERED: 1,
        JobState.REJECTED: 1,
        JobState.FAILED: 1,
        JobState.HELD: 0,
    }
    assert day.replaced == 1


def test_each_stage_says_when_it_was_finished_last(store, arrivals, clock):
    assert store.last_stages() == {}
    for first, seconds in ((1, 5.0), (2, 7.5)):
        job = claimed(store, arrivals, f"1.{first}", first)
        store.enter_stage(job, Stage.ANATOMY)
        clock.forward(10)
        store.leave_stage(job, Stage.ANATOMY, seconds)
        store.deliver(job)
    assert store.last_stages() == {"anatomy": (clock.now, 7.5)}
