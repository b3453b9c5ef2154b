"""What reaches the worker of what a job tells, while the job may die at any moment."""

import io
import json
import sys
import threading
import time

import pytest

from jobs.job import Failure, Stage
from workers.recording import StoreRecorder
from workers.supervisor import Supervisor
from workers.vitals import (
    JobClaimed,
    JobLeft,
    Measured,
    ModelAsked,
    ServerFailed,
    StageBegun,
    StageDone,
    Telling,
    read_vital,
    relay,
)

TELLS = (
    "import sys, time; sys.stdin.readline()\n"
    "from workers.vitals import *\n"
    "print('PatientName DOE^JANE'); sys.stdout.flush()\n"
    "to_parent(StageBegun('read', 1.0))\n"
    "to_parent(Measured(12.5, None, ('NOISY',)))\n"
)


@pytest.fixture
def heard():
    return []


def supervise(store, configuration, job, program, heard, stop=None):
    def listen(job_id, vital):
        assert job_id == job.id
        heard.append(vital)

    command = (sys.executable, "-c", program)
    supervisor = Supervisor(store, configuration, "tester", command, listen)
    supervisor.supervise(job, stop or threading.Event())


def test_a_child_that_is_killed_loses_nothing_that_it_told(store, configuration, claimed, heard):
    killed = TELLS + "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    before = time.time()
    supervise(store, configuration, claimed, killed, heard)
    begun, *told, left = heard
    assert (type(begun), begun.attempt) == (JobClaimed, 1)
    assert told == [StageBegun("read", 1.0), Measured(12.5, None, ("NOISY",))]
    assert (left.outcome, left.code) == ("retried", "WORKER_DIED")
    assert before <= begun.at_s <= left.at_s <= time.time()


def test_a_job_that_is_handed_back_is_told_so(store, configuration, claimed, heard):
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    supervise(store, configuration, claimed, "import time; time.sleep(60)", heard, stop)
    assert (heard[-1].outcome, heard[-1].code) == ("handed_back", "")


@pytest.mark.parametrize(
    ("write", "expected"),
    [
        (lambda store, job: store.deliver(job), ("delivered", "")),
        (lambda store, job: store.reject(job, Failure("NO", "no.")), ("rejected", "NO")),
        (lambda store, job: store.hold(job, Failure("WAIT", "w.")), ("held", "WAIT")),
        (lambda store, job: store.fail(job, Failure("BUG", "b.")), ("failed", "BUG")),
        (lambda store, job: store.retry(job, Failure("AWAY", "a."), 9.0), ("retried", "AWAY")),
    ],
)
def test_the_fate_that_a_child_wrote_is_told(store, configuration, claimed, heard, write, expected):
    """The store is written before the child ends, as the real child does."""
    write(store, claimed)
    supervise(store, configuration, claimed, "pass", heard)
    assert (heard[-1].outcome, heard[-1].code) == expected


def test_a_job_that_another_worker_took_is_lost(store, configuration, claimed, heard):
    store.hand_back(claimed)
    assert store.claim("another", 60.0) is not None
    supervise(store, configuration, claimed, "pass", heard)
    assert (heard[-1].outcome, heard[-1].code) == ("lost", "LEASE_LOST")


def test_stages_are_told_as_they_are_stored(store, claimed, heard):
    recorder = StoreRecorder(store, claimed, heard.append)
    with recorder.stage(Stage.READ):
        pass
    begun, done = heard
    assert (type(begun), begun.stage) == (StageBegun, "read")
    assert (type(done), done.stage) == (StageDone, "read")
    assert done.seconds == store.stage_seconds(claimed.id)["read"]


@pytest.mark.parametrize(
    "line",
    ["", "hello", "[]", "7", '{"vital": "Nothing"}', '{"vital": "StageBegun", "x": 1}', "{}"],
)
def test_lines_of_others_are_passed_over(line):
    assert read_vital(line) is None


def test_every_vital_crosses_as_it_is():
    sent = ModelAsked("anatomy", "1.0", "embedded", 3.5, "MODEL_UNAVAILABLE"), ServerFailed(True)
    lines = [json.dumps({"vital": type(v).__name__} | vars(v)) for v in sent]
    received = []
    relay(io.StringIO("\n".join(lines)), received.append).join(5)
    assert tuple(received) == sent


def test_a_request_carries_its_trace_only_where_traces_are_kept():
    assert Telling().headers("00f067aa0ba902b7") == {}
    traced = Telling(trace_id="4bf92f3577b34da6a3ce929d0e0e4736")
    parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"  # W3C's own example
    assert traced.headers("00f067aa0ba902b7") == {"traceparent": parent}


def test_what_left_means_is_never_told_twice(store, configuration, claimed, heard):
    supervise(store, configuration, claimed, "pass", heard)
    assert sum(isinstance(vital, JobLeft) for vital in heard) == 1
