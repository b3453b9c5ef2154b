"""The outbox is emptied: signed, tried again, never to an address that was not checked."""

import base64
import json
import logging
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from jobs.job import EventKind, Failure
from jobs.webhook import MessageState
from service.webhooks.post import Post
from service.webhooks.recipients import Recipients
from service.webhooks.sender import Sender, sending
from service.webhooks.signing import Signer, signature
from tests.service.webhooks.receiver import Receiver

SIGNER = Signer(b"k" * 32)


@pytest.fixture
def receiver():
    with Receiver() as opened:
        yield opened


@pytest.fixture
def sender(store, receiver):
    hosts = (f"127.0.0.1:{receiver.port}",)
    return Sender(store, SIGNER, Recipients(hosts, ("127.0.0.0/8",), True), Post(2.0))


@pytest.fixture
def hook(store, receiver):
    url = f"http://127.0.0.1:{receiver.port}/osteon?from=test"
    return store.add_webhook(url, [EventKind.REJECTED, EventKind.OPENED], "a test")


def log(store, hook):
    return [(m.state, m.attempts, m.last_status, m.last_code) for m in store.messages(hook.id, 50)]


def due_now(store, hook):
    """Let the message that waits be due, as if its pause were over."""
    (message,) = store.messages(hook.id, 1)
    return store.send_message_again(hook.id, message.id)


def test_a_receiver_is_told_what_happened_signed_and_without_anything_of_a_patient(
    store, hook, sender, receiver, open_job
):
    job = open_job(1)
    store.reject(job, Failure("NO_USABLE", "nothing to measure in DOE^JANE", job.stage))
    while sender.send_next():
        pass
    assert [json.loads(body)["type"] for _, _, body in receiver.got] == [
        "org.osteon.job.opened",
        "org.osteon.job.rejected",
    ]
    path, headers, body = receiver.got[-1]
    event = store.events(job.id)[-1]
    assert path == "/osteon?from=test"
    assert headers["Content-Type"] == "application/cloudevents+json"
    assert json.loads(body) == {
        "specversion": "1.0",
        "id": f"event-{event.id}",
        "source": SIGNER.source,
        "type": "org.osteon.job.rejected",
        "subject": job.id,
        "time": event.at.isoformat(),
        "datacontenttype": "application/json",
        "data": {
            "job_id": job.id,
            "kind": "rejected",
            "stage": None,
            "code": "NO_USABLE",
            "href": f"/api/v1/jobs/{job.id}",
        },
    }
    secret = base64.b64decode(SIGNER.secret(hook).removeprefix("whsec_"))
    at_s = int(headers["webhook-timestamp"])
    assert abs(at_s - time.time()) < 30
    assert headers["webhook-signature"] == signature(secret, f"event-{event.id}", at_s, body)
    assert log(store, hook) == [(MessageState.SENT, 1, 204, None)] * 2
    for private in (job.study_uid, "DOE", "nothing to measure"):
        assert private not in body.decode()


def test_what_a_webhook_did_not_ask_for_is_not_told(store, hook, sender, receiver, open_job):
    job = open_job(1)
    store.fail(job, Failure("INTERNAL", "a defect"))
    while sender.send_next():
        pass
    assert len(receiver.got) == 1  # opened
    store.change_webhook(hook, {"active": False})
    store.requeue(job.id)
    store.cancel(job.id)
    assert not sender.send_next()
    assert len(store.messages(hook.id, 10)) == 1


def test_a_receiver_that_fails_is_told_again_later_with_the_same_bytes(
    store, hook, sender, receiver
):
    now = [datetime.now(UTC)]
    store._clock = lambda: now[0]
    receiver.answers = [500, 503, 200]
    store.add_test_message(hook.id)
    for status, pause_s in ((500, 10), (503, 30)):
        assert sender.send_next()
        (message,) = store.messages(hook.id, 1)
        assert (message.state, message.last_status) == (MessageState.PENDING, status)
        assert message.due_at - now[0] == timedelta(seconds=pause_s)
        now[0] += timedelta(seconds=pause_s - 1)
        assert not sender.send_next()
        now[0] += timedelta(seconds=1)
    assert sender.send_next()
    assert log(store, hook) == [(MessageState.SENT, 3, 200, None)]
    (body,) = {body for _, _, body in receiver.got}
    assert json.loads(body)["type"] == "org.osteon.test"
    assert len(receiver.got) == 3


def test_no_redirect_is_followed(store, hook, sender, receiver):
    with Receiver() as other:
        receiver.answers = [307]
        receiver.headers = {"Location": f"http://127.0.0.1:{other.port}/"}
        store.add_test_message(hook.id)
        sender.send_next()
        assert other.got == []
    assert log(store, hook) == [(MessageState.PENDING, 1, 307, "REDIRECT")]


def test_an_address_that_is_no_longer_allowed_is_not_called(store, hook, sender, receiver):
    store.add_test_message(hook.id)
    replace(sender, recipients=Recipients(("ris.example",), (), True)).send_next()
    assert log(store, hook) == [(MessageState.PENDING, 1, None, "HOST_NOT_ALLOWED")]
    due_now(store, hook)
    closed = Recipients(sender.recipients.hosts, (), True)
    replace(sender, recipients=closed).send_next()
    assert log(store, hook)[0][-1] == "ADDRESS_NOT_ALLOWED"
    assert receiver.got == []


def test_the_address_that_was_checked_is_the_one_that_is_called(
    store, sender, receiver, monkeypatch
):
    """A name that means another host at the second question (DNS rebinding)."""
    asked = []
    real = socket.getaddrinfo

    def answer(host, *args, **more):
        if host != "ris.example":
            return real(host, *args, **more)
        asked.append(host)
        address = "127.0.0.1" if len(asked) == 1 else "192.0.2.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, receiver.port))]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    named = f"ris.example:{receiver.port}"
    hook = store.add_webhook(f"http://{named}/", [EventKind.OPENED])
    store.add_test_message(hook.id)
    replace(sender, recipients=Recipients((named,), ("127.0.0.0/8",), True)).send_next()
    assert asked == ["ris.example"]
    assert receiver.got[0][1]["Host"] == named
    assert log(store, hook) == [(MessageState.SENT, 1, 204, None)]


def test_of_two_addresses_of_a_name_the_one_that_answers_is_told(
    store, sender, receiver, monkeypatch
):
    real = socket.getaddrinfo

    def answer(host, *args, **more):
        if host != "ris.example":
            return real(host, *args, **more)
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, receiver.port))
            for address in ("127.0.0.99", "127.0.0.1")  # nothing listens on the first
        ]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    named = f"ris.example:{receiver.port}"
    hook = store.add_webhook(f"http://{named}/", [EventKind.OPENED])
    store.add_test_message(hook.id)
    replace(sender, recipients=Recipients((named,), ("127.0.0.0/8",), True)).send_next()
    assert log(store, hook) == [(MessageState.SENT, 1, 204, None)]
    assert len(receiver.got) == 1


@pytest.mark.parametrize("hanging", [True, False])
def test_a_receiver_that_is_away_or_silent(store, hook, sender, receiver, hanging, caplog):
    quick = replace(sender, post=Post(0.2))
    store.add_test_message(hook.id)
    if hanging:
        receiver.hold.clear()
        code = "TIMEOUT"
    else:
        hosts = Recipients(("127.0.0.1:9",), ("127.0.0.0/8",), True)
        store.change_webhook(hook, {"url": "http://127.0.0.1:9/secret"})
        quick, code = replace(quick, recipients=hosts), "NO_CONNECTION"
    with caplog.at_level(logging.WARNING):
        quick.send_next()
    assert log(store, hook) == [(MessageState.PENDING, 1, None, code)]
    (line,) = caplog.records
    assert (line.event, line.code) == ("webhook_not_sent", code)
    assert "secret" not in caplog.text


def test_other_messages_to_a_receiver_that_is_away_wait_too(store, hook, sender, receiver):
    receiver.answers = [500]
    for _ in range(3):
        store.add_test_message(hook.id)
    assert sender.send_next()
    assert not sender.send_next()
    assert len(receiver.got) == 1


def test_what_nobody_takes_is_given_up(store, hook, sender, receiver):
    receiver.answers = [500]
    store.add_test_message(hook.id)
    later = datetime.now(UTC) + timedelta(days=4)
    replace(sender, clock=lambda: later).send_next()
    assert log(store, hook) == [(MessageState.GIVEN_UP, 1, 500, "STATUS")]
    due_now(store, hook)
    receiver.answers = [200]
    assert sender.send_next()
    assert log(store, hook) == [(MessageState.SENT, 1, 200, None)]


def test_two_senders_share_the_work_and_tell_nothing_twice(store, hook, sender, receiver):
    for _ in range(20):
        store.add_test_message(hook.id)
    stop = threading.Event()
    both = [threading.Thread(target=sender.run, args=(stop,)) for _ in range(2)]
    for one in both:
        one.start()
    deadline = time.monotonic() + 20
    while len(receiver.got) < 20 and time.monotonic() < deadline:
        time.sleep(0.02)
    stop.set()
    for one in both:
        one.join(10)
    names = [headers["webhook-id"] for _, headers, _ in receiver.got]
    assert len(names) == len(set(names)) == 20
    assert {state for state, *_ in log(store, hook)} == {MessageState.SENT}


DIES = """
import sys
from jobs.store import JobStore
from service.webhooks import sender
from service.webhooks.post import Post
from service.webhooks.recipients import Recipients
from service.webhooks.signing import Signer
sender.LEASE_S = 0.3
store = JobStore(sys.argv[1])
allowed = Recipients((sys.argv[2],), ("127.0.0.0/8",), True)
sender.Sender(store, Signer(b"k" * 32), allowed, Post(15.0)).send_next()
"""


def test_a_sender_that_is_killed_leaves_its_message_to_the_next(store, hook, sender, receiver):
    message = store.add_test_message(hook.id)
    receiver.hold.clear()  # it dies while it waits for the answer
    url = store._engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", DIES, url, f"127.0.0.1:{receiver.port}"]
    dying = subprocess.Popen(command)
    while not receiver.got:
        assert dying.poll() is None
        time.sleep(0.02)
    dying.send_signal(signal.SIGKILL)
    dying.wait(10)
    receiver.hold.set()
    deadline = time.monotonic() + 20
    while not sender.send_next() and time.monotonic() < deadline:
        time.sleep(0.05)
    names = [headers["webhook-id"] for _, headers, _ in receiver.got]
    assert names == [f"test-{message.id}"] * 2
    assert log(store, hook) == [(MessageState.SENT, 2, 204, None)]


def test_a_message_goes_out_by_itself_and_old_ones_are_removed(store, hook, sender, receiver):
    store.add_test_message(hook.id)
    with sending(replace(sender, keep_s=0.0)):
        deadline = time.monotonic() + 20
        while not receiver.got and time.monotonic() < deadline:
            time.sleep(0.02)
    assert len(receiver.got) == 1
    assert store.prune_messages(datetime.now(UTC) + timedelta(days=1)) in (0, 1)
    assert store.messages(hook.id, 10) == ()
    with sending(None):
        pass
