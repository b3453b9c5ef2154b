import json
import sys
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from jobs.errors import StoreUnavailable
from jobs.job import EventKind, JobState
from workers.supervisor import Supervisor

SLEEP = "import time; time.sleep(60)"


def supervisor(store, configuration, program):
    """A supervisor whose children run `program` and not the pipeline."""
    return Supervisor(store, configuration, "tester", (sys.executable, "-c", program))


def kinds(store, job):
    return [event.kind for event in store.events(job.id)]


def changed(configuration, **changes):
    return type(configuration)(**{**vars(configuration), **changes})


def test_the_child_is_told_job_fence_and_configuration(store, configuration, claimed, tmp_path):
    program = f"import sys; open({str(tmp_path / 'told')!r}, 'w').write(sys.stdin.readline())"
    supervisor(store, configuration, program).supervise(claimed, threading.Event())
    told = json.loads((tmp_path / "told").read_text())
    assert (told["job_id"], told["fence"]) == (claimed.id, claimed.fence)
    assert told["configuration"]["store_url"] == configuration.store_url


def test_a_child_that_dies_costs_an_attempt_and_the_job_comes_again(store, configuration, claimed):
    program = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    supervisor(store, configuration, program).supervise(claimed, threading.Event())
    job = store.job(claimed.id)
    assert (job.state, job.attempt) == (JobState.QUEUED, 1)
    assert job.failure is not None
    assert job.failure.code == "WORKER_DIED"
    assert "status -9" in job.failure.message
    assert job.not_before is not None


def test_a_job_that_crashed_is_tried_once_more_and_then_is_poison(store, configuration, claimed):
    program = "import ctypes; ctypes.string_at(0)"
    quick = supervisor(store, changed(configuration, crash_delay_s=0.0), program)
    quick.supervise(claimed, threading.Event())
    once = store.job(claimed.id)
    assert (once.state, once.failure.code) == (JobState.QUEUED, "WORKER_CRASHED")
    quick.supervise(store.claim("again", 30.0), threading.Event())
    twice = store.job(claimed.id)
    assert (twice.state, twice.attempt, twice.failure.code) == (JobState.FAILED, 2, "POISONED")
    assert "status -11" in twice.failure.message
    assert store.claim("once more", 30.0) is None


def test_a_crash_after_another_ending_is_the_first(store, configuration, claimed):
    store.retry(claimed, failure(), 0.0)
    again = store.claim("again", 30.0)
    crash = "import os; os.abort()"
    supervisor(store, configuration, crash).supervise(again, threading.Event())
    assert store.job(claimed.id).failure.code == "WORKER_CRASHED"


def test_a_child_that_dies_before_it_listens_costs_an_attempt_only(store, configuration, claimed):
    large = changed(configuration, reading={"x": "y" * 2**20})  # more than a pipe holds
    Supervisor(store, large, "tester", ("/bin/false",)).supervise(claimed, threading.Event())
    assert store.job(claimed.id).failure.code == "WORKER_DIED"


def test_attempts_at_a_job_whose_child_died_are_ten_seconds_apart(store, configuration, claimed):
    begun = datetime.now(UTC)
    supervisor(store, configuration, "raise SystemExit(1)").supervise(claimed, threading.Event())
    assert store.job(claimed.id).not_before >= begun + timedelta(seconds=10)


def test_the_last_attempt_that_dies_fails_the_job(store, configuration, claimed):
    last = type(claimed)(**{**vars(claimed), "attempt": claimed.max_attempts})
    supervisor(store, configuration, "raise SystemExit(1)").supervise(last, threading.Event())
    assert store.job(claimed.id).state is JobState.FAILED


def test_a_child_that_runs_too_long_is_ended(store, configuration, claimed):
    quick = changed(configuration, timeout_s=0.3)
    start = time.monotonic()
    supervisor(store, quick, SLEEP).supervise(claimed, threading.Event())
    assert time.monotonic() - start < 20
    failure = store.job(claimed.id).failure
    assert failure is not None
    assert "longer than 0.3 s" in failure.message


def test_a_stop_hands_the_job_back_without_spending_the_attempt(store, configuration, claimed):
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()
    start = time.monotonic()
    supervisor(store, configuration, SLEEP).supervise(claimed, stop)
    assert time.monotonic() - start < 20
    job = store.job(claimed.id)
    assert (job.state, job.attempt) == (JobState.QUEUED, 0)
    assert kinds(store, claimed)[-1] is EventKind.HANDED_BACK


def test_the_lease_is_kept_while_the_child_runs(store, configuration, claimed):
    short = changed(configuration, lease_s=1.0)
    program = "import time; time.sleep(2.5)"
    store.renew(claimed, 1.0)
    done = threading.Thread(
        target=supervisor(store, short, program).supervise, args=(claimed, threading.Event())
    )
    done.start()
    time.sleep(1.8)
    assert store.claim("another", 1.0) is None
    done.join()


def test_the_fate_of_a_job_waits_for_a_store_that_is_away(
    store, configuration, claimed, monkeypatch
):
    asked = []

    def away_at_first(job_id):
        asked.append(job_id)
        if len(asked) < 3:
            raise StoreUnavailable("away")
        return type(store).job(store, job_id)

    monkeypatch.setattr(store, "job", away_at_first)
    supervisor(store, configuration, "raise SystemExit(1)").supervise(claimed, threading.Event())
    monkeypatch.undo()
    assert len(asked) == 3
    assert store.job(claimed.id).failure.code == "WORKER_DIED"


def test_a_store_that_stays_away_is_left_to_the_lease(store, configuration, claimed, monkeypatch):
    def away(_job_id):
        raise StoreUnavailable("away")

    monkeypatch.setattr(store, "job", away)
    short = changed(configuration, lease_s=0.5)
    supervisor(store, short, "raise SystemExit(1)").supervise(claimed, threading.Event())
    monkeypatch.undo()
    assert store.job(claimed.id).state is JobState.RUNNING


def test_a_job_that_was_taken_away_ends_the_child_and_is_left_alone(store, configuration, claimed):
    short = changed(configuration, lease_s=0.6)
    store.retry(claimed, failure(), 0.0)
    other = store.claim("another", 60.0)
    start = time.monotonic()
    supervisor(store, short, SLEEP).supervise(claimed, threading.Event())
    assert time.monotonic() - start < 20
    job = store.job(claimed.id)
    assert (job.state, job.fence, job.lease_owner) == (JobState.RUNNING, other.fence, "another")


def test_jobs_are_claimed_until_the_stop(store, configuration, claimed):
    store.hand_back(claimed)
    stop = threading.Event()
    threading.Timer(3.0, stop.set).start()
    supervisor(store, configuration, "pass").run(stop)
    assert EventKind.RETRY in kinds(store, claimed)  # a child that says nothing has died


def failure():
    from jobs.job import Failure  # noqa: PLC0415

    return Failure("X", "taken away by the test")


@pytest.fixture(autouse=True)
def no_left_over_children():
    import psutil  # noqa: PLC0415

    before = set(psutil.Process().children())  # a server that other tests share may run
    yield
    assert set(psutil.Process().children()) <= before


def test_a_schema_that_changed_under_way_costs_no_attempt(
    store, configuration, claimed, caplog, monkeypatch
):
    store.hand_back(claimed)
    monkeypatch.setattr("jobs.migrate.head", lambda: "0001")  # what software of yesterday needs
    worker = supervisor(store, configuration, "raise SystemExit(1)")
    assert worker.take(claimed.id, threading.Event()) is False
    job = store.job(claimed.id)
    assert (job.state, job.attempt) == (JobState.QUEUED, 0)
    assert "no job can be claimed: the database is at schema" in caplog.text
