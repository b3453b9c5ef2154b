"""Celery on a real Redis: what it may do to us, and what it may not."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from base64 import b64decode
from contextlib import suppress
from pathlib import Path

import pytest

from jobs.job import JobState, Priority
from jobs.migrate import upgrade
from jobs.store import JobStore
from jobs.study import input_digest
from tests.servers import Redis
from workers.doorbell.app import Broker, make_app
from workers.doorbell.bell import CeleryQueue
from workers.doorbell.watch import EXIT_DEAF

ROOT = Path(__file__).parents[2]
WORKER = Path(__file__).with_name("queue_worker.py")
LIMIT_S = 180
NOTHING = {"urgent": 0, "routine": 0, "reprocess": 0}


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


def broker(port):
    return f"redis://:s%2Fecret%401@127.0.0.1:{port}/0"


def bell(store, port, **options):
    return CeleryQueue(make_app(Broker(broker(port), **options)), store)


def open_job(store, arrivals, study_uid, priority=Priority.ROUTINE):
    instances = arrivals(study_uid)
    store.record_instances(instances)
    return store.open_revision(study_uid, input_digest(instances), priority=int(priority))


class Worker:
    """A worker process that does not outlive its block; `said` is what it wrote to stderr."""

    def __init__(self, database, port, *options):
        self._program = [sys.executable, str(WORKER), database, broker(port), *options]
        self.said = ""

    def __enter__(self):
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self._log = tempfile.TemporaryFile("w+")
        self._process = subprocess.Popen(self._program, env=environment, stderr=self._log)
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
        self._log.seek(0)
        print(self._log.read())  # noqa: T201 - shown where the test fails
        self._log.close()

    def stop(self):
        self._process.terminate()
        return self.ends()

    def ends(self):
        status = self._process.wait(LIMIT_S)
        self._log.seek(0)
        self.said = self._log.read()
        return status


def until(condition):
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_ring_is_json_with_the_jobs_id_and_its_priority_chooses_the_queue(redis, store, arrivals):
    queue = bell(store, redis.port, prefix="site:")
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
    queue = bell(store, redis.port)
    if trouble == "away":
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            queue = bell(store, probe.getsockname()[1])
    if trouble == "password":
        queue = CeleryQueue(make_app(Broker(f"redis://:wrong@127.0.0.1:{redis.port}/0")), store)
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
        bell(store, redis.port).submit(job.id)
    with Worker(database, redis.port, "-Q", "urgent", "-c", "2") as worker:
        until(lambda: all(store.job(j.id).state is JobState.DELIVERED for j in urgent))
        assert worker.stop() == 0
    claimed = [store.events(job.id)[1].at for job in urgent]
    delivered = [store.events(job.id)[-1].at for job in urgent]
    assert max(claimed) < min(delivered)  # at the same time
    assert store.job(routine.id).state is JobState.QUEUED


@pytest.mark.parametrize("options", [("-P", "prefork"), ("--no-such-option",)])
def test_options_that_cannot_be_are_refused(redis, database, options):
    with Worker(database, redis.port, *options) as worker:
        assert worker.ends() != 0
    assert "UnusableOptions" in worker.said


def test_nonsense_in_the_queue_ends_no_worker(redis, database, store, arrivals):
    queue = bell(store, redis.port)
    for arguments in ([], [{"a": 1}], [None], ["1", "2"]):
        queue.app.send_task("osteon.process", args=arguments, queue="routine")
    queue.app.send_task("osteon.other", args=["x"], queue="routine")
    job = open_job(store, arrivals, "1.2")
    queue.submit(job.id)
    with Worker(database, redis.port) as worker:
        until(lambda: store.job(job.id).state is JobState.DELIVERED)
        assert worker.stop() == 0


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
    with Worker(database, line.port) as worker:
        until(lambda: store.job(first.id).state is JobState.DELIVERED)
        line.cut()
        second = open_job(store, arrivals, "1.3")
        bell(store, redis.port).submit(second.id)
        assert worker.ends() == EXIT_DEAF
    line.close()
    assert "hears none of them" in worker.said
    assert store.job(second.id).state is JobState.QUEUED
    with Worker(database, redis.port):
        until(lambda: store.job(second.id).state is JobState.DELIVERED)
