"""Celery on a real Redis: what it may do to us, and what it may not."""

import json
import socket
import threading
from base64 import b64decode
from contextlib import suppress

import pytest

from jobs.job import JobState, Priority
from jobs.migrate import upgrade
from jobs.store import JobStore
from tests.contracts.ringing import NOTHING, Worker, address_of, bell, open_job, until
from tests.servers import Redis
from workers.doorbell.transport import CODE
from workers.doorbell.watch import EXIT_DEAF


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = Redis(tmp_path_factory.mktemp("redis") / "data")
    yield server
    server.kill()


@pytest.fixture
def redis(server):
    server.ask("flushall")
    return server


@pytest.fixture
def database(tmp_path):
    url = f"sqlite:///{tmp_path / 'osteon.sqlite'}"
    upgrade(url)
    return url


@pytest.fixture
def store(database):
    with JobStore(database) as opened:
        yield opened


def test_a_ring_is_json_with_the_jobs_id_and_its_priority_chooses_the_queue(redis, store, arrivals):
    queue = bell(store, address_of(redis.port), prefix="site:")
    jobs = {p: open_job(store, arrivals, f"1.{20 + p}", p) for p in Priority}
    for job in jobs.values():
        queue.submit(job.id)
    assert queue.waiting() == dict.fromkeys(NOTHING, 1)
    for priority, name in zip(sorted(Priority, reverse=True), NOTHING, strict=True):
        message = json.loads(redis.ask("lindex", f"site:{name}", "0"))
        assert message["content-type"] == "application/json"
        arguments, keywords, _ = json.loads(b64decode(message["body"]))
        assert (arguments, keywords) == ([jobs[priority].id], {})
        assert message["headers"]["task"] == "osteon.process"
    keys = redis.ask("keys", "*").split()
    assert all(key.startswith("site:") for key in keys)
    everything = "".join(redis.ask("lrange", f"site:{name}", "0", "-1") for name in NOTHING)
    assert "1.20" not in everything  # of the study nothing, not even its UID


@pytest.mark.parametrize("trouble", ["away", "password", "full"])
def test_a_broker_that_takes_no_ring_is_no_error_of_the_sender(
    redis, store, arrivals, trouble, caplog
):
    queue = bell(store, address_of(redis.port))
    if trouble == "away":
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            queue = bell(store, address_of(probe.getsockname()[1]))
    if trouble == "password":
        queue = bell(store, f"redis://:wrong@127.0.0.1:{redis.port}/0")
    if trouble == "full":
        redis.ask("config", "set", "maxmemory", "1")
    try:
        queue.submit(open_job(store, arrivals, "1.2").id)
        queue.submit("0" * 32)
    finally:
        redis.ask("config", "set", "maxmemory", "0")
    assert "the broker is away" in caplog.text
    assert "s%2Fecret" not in caplog.text
    assert "s/ecret" not in caplog.text
    assert queue.waiting() == (NOTHING if trouble == "full" else None)


def test_a_worker_may_be_for_urgent_jobs_only_and_run_several(redis, database, store, arrivals):
    urgent = [open_job(store, arrivals, f"1.9.{n}", Priority.URGENT) for n in range(2)]
    routine = open_job(store, arrivals, "1.3")
    for job in (routine, *urgent):
        bell(store, address_of(redis.port)).submit(job.id)
    with Worker(database, address_of(redis.port), "-Q", "urgent", "-c", "2") as worker:
        until(lambda: all(store.job(j.id).state is JobState.DELIVERED for j in urgent))
        assert worker.stop() == 0
    claimed = [store.events(job.id)[1].at for job in urgent]
    delivered = [store.events(job.id)[-1].at for job in urgent]
    assert max(claimed) < min(delivered)  # at the same time
    assert store.job(routine.id).state is JobState.QUEUED


@pytest.mark.parametrize("options", [("-P", "prefork"), ("--no-such-option",)])
def test_options_that_cannot_be_are_refused(redis, database, options):
    with Worker(database, address_of(redis.port), *options) as worker:
        assert worker.ends() != 0
    assert "UnusableOptions" in worker.said


def test_nonsense_in_the_queue_ends_no_worker(redis, database, store, arrivals):
    queue = bell(store, address_of(redis.port))
    for arguments in ([], [{"a": 1}], [None], ["1", "2"]):
        queue.app.send_task("osteon.process", args=arguments, queue="routine")
    queue.app.send_task("osteon.other", args=["x"], queue="routine")
    job = open_job(store, arrivals, "1.2")
    queue.submit(job.id)
    with Worker(database, address_of(redis.port)) as worker:
        until(lambda: store.job(job.id).state is JobState.DELIVERED)
        assert worker.stop() == 0


NO_RINGS = ["not JSON", "\udcff", "[]", "{}", "7", '"text"', "null", '{"body": "e30="}', ""]


@pytest.mark.parametrize("busy", [False, True])
def test_what_is_no_ring_at_all_ends_no_worker(redis, database, store, arrivals, busy):
    study = "1.9" if busy else "1.2"
    before = open_job(store, arrivals, f"{study}.1")
    with Worker(database, address_of(redis.port)) as worker:
        if busy:
            until(lambda: store.job(before.id).state is JobState.RUNNING)
        for garbage in NO_RINGS:
            redis.ask("lpush", "osteon:routine", garbage)
        after = open_job(store, arrivals, f"{study}.2")  # heard behind all of that
        until(lambda: store.job(after.id).state is JobState.DELIVERED)
        assert worker.stop() == 0
    assert worker.said.count(CODE) == len(NO_RINGS)
    assert store.job(before.id).state is JobState.DELIVERED
    assert store.job(before.id).attempt == 1
    assert "Traceback" not in worker.said


class Line:
    """A TCP line to Redis that can go dead for those who are connected: half-open."""

    def __init__(self, port):
        self._port = port
        self._sockets = []
        self._dead, self._closed = threading.Event(), threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self):
        """Those who are connected hear nothing any more; who comes now is served."""
        self._dead.set()
        self._dead = threading.Event()

    def close(self):
        self._closed.set()
        for end in (self._listener, *self._sockets):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self):
        with suppress(OSError):
            while True:
                peer, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._port))
                self._sockets += [peer, server]
                for way in ((peer, server), (server, peer)):
                    threading.Thread(
                        target=self._pass, args=(*way, self._dead), daemon=True
                    ).start()

    def _pass(self, source, sink, dead):
        with suppress(OSError):
            while data := source.recv(65536):
                if dead.is_set():
                    self._closed.wait()  # neither passes nor closes
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


def test_a_worker_that_hears_nothing_any_more_leaves(redis, database, store, arrivals):
    line = Line(redis.port)
    first = open_job(store, arrivals, "1.2")
    with Worker(database, address_of(line.port)) as worker:
        until(lambda: store.job(first.id).state is JobState.DELIVERED)
        line.cut()
        second = open_job(store, arrivals, "1.3")
        bell(store, address_of(redis.port)).submit(second.id)
        assert worker.ends() == EXIT_DEAF
    line.close()
    assert "hears none of them" in worker.said
    assert store.job(second.id).state is JobState.QUEUED
    with Worker(database, address_of(redis.port)):
        until(lambda: store.job(second.id).state is JobState.DELIVERED)
