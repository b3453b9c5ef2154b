"""What every database has to know of webhooks, kept answers and the events of all jobs."""

import threading
from datetime import timedelta

import pytest

from jobs.engine import make_engine
from jobs.errors import UnknownWebhook
from jobs.idempotency import KeptAnswer
from jobs.job import EventKind, Failure, JobState
from jobs.migrate import upgrade
from jobs.schema import job_events
from jobs.store import JobStore
from jobs.webhook import MessageState

OPENED = [EventKind.OPENED]


@pytest.fixture
def job(store, arrivals):
    store.record_instances(arrivals("1.2"))
    return store.open_revision("1.2", "a" * 64)


def test_an_event_and_its_message_are_one_transaction(store, arrivals):
    hook = store.add_webhook("https://ris.example/", [EventKind.REJECTED, *OPENED])
    other = store.add_webhook("https://other.example/", [EventKind.FAILED])
    store.record_instances(arrivals("1.2"))
    job = store.open_revision("1.2", "a" * 64)
    store.reject(store.claim("w", 30), Failure("X", "y"))
    events = {e.kind: e.id for e in store.events(job.id)}
    told = [m.event_id for m in store.messages(hook.id, 10)]
    assert told == [events[EventKind.REJECTED], events[EventKind.OPENED]]
    assert store.messages(other.id, 10) == ()


def test_a_message_is_one_senders_at_a_time(store, clock, job):
    hook = store.add_webhook("https://ris.example/", OPENED)
    store.add_test_message(hook.id)
    first = store.take_message(60.0)
    assert first.webhook == hook
    assert store.take_message(60.0) is None
    assert not store.message_is_due()
    clock.forward(61)  # the first is silent for longer than its lease
    second = store.take_message(60.0)
    assert (second.message.id, second.fence) == (first.message.id, first.fence + 1)
    store.message_given_up(first, None, "TIMEOUT")  # late: it holds nothing
    assert store.messages(hook.id, 1)[0].state is MessageState.PENDING
    store.message_sent(second, 204)
    (message,) = store.messages(hook.id, 10)
    assert (message.state, message.attempts, message.last_status) == (MessageState.SENT, 2, 204)
    assert job.state is JobState.QUEUED


def test_a_pause_holds_the_receivers_other_messages_too(store, clock):
    hook = store.add_webhook("https://ris.example/", OPENED)
    other = store.add_webhook("https://other.example/", OPENED)
    for one in (hook, hook, other):
        store.add_test_message(one.id)
    store.message_not_sent(store.take_message(60.0), 503, "STATUS", 600.0)
    assert store.take_message(60.0).webhook.id == other.id
    assert store.take_message(60.0) is None
    clock.forward(59)
    assert not store.message_is_due()
    clock.forward(1)
    second = store.take_message(60.0)
    assert (second.webhook.id, second.message.attempts) == (hook.id, 1)
    clock.forward(541)
    assert store.take_message(60.0).message.attempts == 2


def test_while_a_webhook_is_off_nothing_is_written_and_nothing_sent(store, arrivals):
    hook = store.add_webhook("https://ris.example/", OPENED)
    store.add_test_message(hook.id)
    hook = store.change_webhook(hook, {"active": False})
    store.record_instances(arrivals("1.2"))
    store.open_revision("1.2", "a" * 64)
    assert not store.message_is_due()
    store.change_webhook(hook, {"active": True})
    assert store.take_message(60.0).event is None
    assert store.take_message(60.0) is None


def test_many_take_every_message_once(database, store):
    hook = store.add_webhook("https://ris.example/", OPENED)
    for _ in range(30):
        store.add_test_message(hook.id)
    taken = []

    def take():
        with JobStore(database) as own:
            while (dispatch := own.take_message(60.0)) is not None:
                taken.append(dispatch.message.id)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert sorted(taken) == sorted(m.id for m in store.messages(hook.id, 50))


def test_webhooks_come_and_go_while_events_are_written(database, arrivals):
    """Nobody's event fails because a webhook is removed at the same moment."""
    stop = threading.Event()

    def change():
        with JobStore(database) as own:
            while not stop.is_set():
                hook = own.add_webhook("https://ris.example/", OPENED)
                own.remove_webhook(hook.id)

    changing = threading.Thread(target=change)
    changing.start()
    try:
        with JobStore(database) as own:
            for number in range(15):
                own.record_instances(arrivals(f"1.{number}", 1))
                own.open_revision(f"1.{number}", "a" * 64)
    finally:
        stop.set()
        changing.join(60)
        assert not changing.is_alive()


def test_old_messages_are_removed_and_those_that_wait_are_not(store, clock):
    hook = store.add_webhook("https://ris.example/", OPENED)
    for _ in range(2):
        store.add_test_message(hook.id)
    store.message_sent(store.take_message(60.0), 200)
    clock.forward(10)
    assert store.prune_messages(clock.now - timedelta(seconds=11)) == 0
    assert store.prune_messages(clock.now) == 1
    assert [m.state for m in store.messages(hook.id, 10)] == [MessageState.PENDING]
    store.remove_webhook(hook.id)
    with pytest.raises(UnknownWebhook):
        store.messages(hook.id, 10)
    with pytest.raises(UnknownWebhook):
        store.renew_secret(hook.id)


def test_of_requests_with_one_key_one_is_done(database):
    """Two at once, on two connections: exactly one may act."""
    meet = threading.Barrier(6)
    got = []

    def begin():
        with JobStore(database) as own:
            meet.wait(30)
            got.append(own.begin_answer("k" * 64, "r" * 64, 60.0))

    threads = [threading.Thread(target=begin) for _ in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert got.count(None) == 1
    assert [kept for kept in got if kept is not None] == [KeptAnswer("r" * 64, None)] * 5


def test_an_answer_is_kept_for_its_time(store, clock):
    key, answer = "k" * 64, KeptAnswer("r" * 64, 201, "/there", '{"a": 1}')
    assert store.begin_answer(key, "r" * 64, 60.0) is None
    store.keep_answer(key, answer, 3600.0)
    assert store.begin_answer(key, "s" * 64, 60.0) == answer
    clock.forward(3601)
    assert store.begin_answer(key, "s" * 64, 60.0) is None
    clock.forward(61)  # who began it died
    assert store.begin_answer(key, "t" * 64, 60.0) is None
    store.forget_answer(key)
    assert store.begin_answer(key, "u" * 64, 60.0) is None


def test_the_events_of_all_jobs_come_in_order_and_resume(store, arrivals):
    assert (store.last_event_id(), store.all_events(0, 10)) == (0, ())
    for number in (1, 2):
        store.record_instances(arrivals(f"1.{number}", 1))
        store.open_revision(f"1.{number}", "a" * 64)
    store.claim("w", 30)
    events = store.all_events(0, 10)
    assert [e.kind for e in events] == [EventKind.OPENED, EventKind.OPENED, EventKind.CLAIMED]
    assert store.all_events(events[0].id, 1) == events[1:2]
    assert store.last_event_id() == events[-1].id
    assert store.all_events(events[-1].id, 10) == ()


def test_a_number_that_is_not_there_yet_is_waited_for(postgresql_server, clock, arrivals, request):
    """PostgreSQL shows a higher number before a lower one whose transaction goes on."""
    url = postgresql_server.create("late_events")
    request.addfinalizer(lambda: postgresql_server.drop("late_events"))
    upgrade(url)
    engine = make_engine(url)
    request.addfinalizer(engine.dispose)
    with JobStore(url, clock) as store, engine.connect() as slow:

        def opened(study_uid):
            store.record_instances(arrivals(study_uid))
            return store.open_revision(study_uid, "a" * 64)

        row = {"job_id": opened("1.1").id, "at": clock.now, "kind": "requeued", "data": {}}
        begin = store.last_event_id()
        slow.execute(job_events.insert().values(row))  # takes a number, not committed
        later = opened("1.2")
        assert store.all_events(begin, 10) == ()
        assert store.last_event_id() == begin
        slow.commit()
        found = store.all_events(begin, 10)
        assert [e.kind for e in found] == [EventKind.REQUEUED, EventKind.OPENED]
        assert found[-1].job_id == later.id
        slow.execute(job_events.insert().values(row))
        slow.rollback()  # its number never comes
        last = store.last_event_id()
        opened("1.3")
        assert store.all_events(last, 10) == ()
        clock.forward(6)
        assert [e.kind for e in store.all_events(last, 10)] == [EventKind.OPENED]
