"""The worker process: claims jobs, runs each in a child, keeps the lease, outlives the child."""

from __future__ import annotations

import contextlib
import functools
import logging
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from jobs.errors import IllegalMove, LeaseLost, SchemaTooNew, SchemaTooOld, StoreUnavailable
from jobs.fault_points import fault
from jobs.job import Failure, JobState
from workers.configuration import Assignment
from workers.vitals import JobClaimed, JobLeft, nobody, relay

if TYPE_CHECKING:
    import threading
    from collections.abc import Sequence

    from jobs.job import Job
    from jobs.store import JobStore
    from workers.configuration import WorkerConfiguration
    from workers.vitals import Listener

_LOG = logging.getLogger(__name__)
_LOOK_S = 0.2
_TERMINATE_S = 10.0
_CRASH_DELAY_S = 10.0
_LAST_WORDS_S = 2.0
CHILD = (sys.executable, "-m", "workers.child")
CRASHED = "WORKER_CRASHED"
_CRASHES = frozenset(
    (signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGFPE, signal.SIGILL, signal.SIGSYS)
)
"""What a process does to itself. SIGKILL is another's doing: the kernel's out of memory, a hand."""


@dataclass(frozen=True)
class _Ending:
    """How a child ended that wrote no fate."""

    sentence: str
    crashed: bool
    """By its own doing; once more, and the job is poison."""


@dataclass(frozen=True)
class Supervisor:
    """Runs one job at a time; the store decides who has which."""

    store: JobStore
    configuration: WorkerConfiguration
    owner: str
    """Names this worker in the record, for people."""
    command: Sequence[str] = field(default=CHILD)
    """Starts a child that reads an `Assignment` from its standard input and tells on its output."""
    listener: Listener = nobody
    """Told of every job and of what its child tells."""
    crash_delay_s: float = _CRASH_DELAY_S
    """Between attempts at a job whose child died, so that no job keeps a worker crashing."""

    def run(self, stop: threading.Event) -> None:
        """Claim and run jobs until `stop` is set; a running job is then handed back."""
        while not stop.is_set():
            job = self._claim()
            if job is None:
                stop.wait(self.configuration.poll_s)
            else:
                self.supervise(job, stop)

    def take(self, job_id: str, stop: threading.Event) -> bool:
        """Run the job with this id if it is due; True if the stop cut it off and it is due again.

        A ring may come twice, late, or for a job that is done: then there is nothing to do.
        """
        job = None if stop.is_set() else self._claim(job_id)
        if job is not None:
            self.supervise(job, stop)
        return stop.is_set()

    def supervise(self, job: Job, stop: threading.Event) -> None:
        """Run one claimed job in a child; return when the child is gone and its fate is known."""
        told = {"event": "job_claimed", "job_id": job.id}
        _LOG.info("job claimed, attempt %d", job.attempt, extra=told)
        self.listener(job.id, JobClaimed(job.attempt, time.time()))
        fault("worker.claimed")
        left = JobLeft("unknown", "", 0.0)
        try:
            ending = self._run_child(job, stop)
            fault("worker.child_ended")
            left = self._settle(job, ending, stop)
        finally:
            self.listener(job.id, replace(left, at_s=time.time()))

    def _run_child(self, job: Job, stop: threading.Event) -> _Ending:
        """Run the child to its end; return how it ended."""
        child = self._start(job)
        fault("worker.child_began")
        hearing = relay(child.stdout, functools.partial(self.listener, job.id))
        try:
            ending = self._watch(child, job, stop)
        finally:
            _end(child)
            hearing.join(_LAST_WORDS_S)
        status = f"its process ended with status {child.returncode}"
        return _Ending(ending or status, crashed=not ending and -child.returncode in _CRASHES)

    def _claim(self, job_id: str | None = None) -> Job | None:
        try:
            self.store.require_schema()  # another one came under way: no attempt is spent on it
            return self.store.claim(self.owner, self.configuration.lease_s, job_id)
        except (StoreUnavailable, SchemaTooNew, SchemaTooOld) as error:
            told = {"event": "store_away", "code": error.code}
            _LOG.warning("no job can be claimed: %s", error, extra=told)
            return None

    def _start(self, job: Job) -> subprocess.Popen[str]:
        assignment = Assignment(job.id, job.fence, self.configuration)
        child = subprocess.Popen(  # noqa: S603
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            errors="replace",
        )
        if child.stdin is not None:  # a child that died before it listened is told nothing
            with contextlib.suppress(BrokenPipeError), child.stdin as told:
                told.write(assignment.to_json() + "\n")
        return child

    def _watch(self, child: subprocess.Popen[str], job: Job, stop: threading.Event) -> str | None:
        """Wait for the child and keep the lease; return why it had to be ended, if it had to."""
        deadline = time.monotonic() + self.configuration.timeout_s
        renew_at = time.monotonic() + self.configuration.lease_s / 3
        while child.poll() is None:
            now = time.monotonic()
            if stop.is_set():
                return "the worker was stopped"
            if now > deadline:
                return f"it ran longer than {self.configuration.timeout_s:g} s"
            if now > renew_at:
                if not self._renew(job):
                    return "the job is no longer ours"
                renew_at = now + self.configuration.lease_s / 3
            stop.wait(_LOOK_S)
        return None

    def _renew(self, job: Job) -> bool:
        """Prolong the lease; a store that does not answer is not a lost lease yet."""
        try:
            return self.store.renew(job, self.configuration.lease_s)
        except StoreUnavailable as error:
            told = {"event": "store_away", "code": error.code, "job_id": job.id}
            _LOG.warning("the lease could not be renewed: %s", error, extra=told)
            return True

    def _settle(self, job: Job, ending: _Ending, stop: threading.Event) -> JobLeft:
        """Write the fate of a job whose child could not; most often the child did.

        A store that is away is waited for, for a while: then the lease ends the matter.
        """
        patience_s = _TERMINATE_S if stop.is_set() else self.configuration.lease_s
        deadline = time.monotonic() + patience_s
        while True:
            try:
                return self._write_fate(job, ending, stop)
            except StoreUnavailable as error:
                told = {"event": "store_away", "code": error.code, "job_id": job.id}
                _LOG.warning("the fate of a job waits: %s", error, extra=told)
                if time.monotonic() >= deadline:
                    return JobLeft("unknown", error.code, 0.0)
                time.sleep(_LOOK_S)

    def _write_fate(self, job: Job, ending: _Ending, stop: threading.Event) -> JobLeft:
        now = self.store.job(job.id)
        if now.state is not JobState.RUNNING or now.fence != job.fence:
            left = _left(job, now)
            told = {"event": f"job_{left.outcome}", "code": left.code or None, "job_id": job.id}
            _LOG.info("job is %s", now.state, extra=told)
            return left
        try:
            if stop.is_set():
                self.store.hand_back(job)
                return JobLeft("handed_back", "", 0.0)
            failure = _failure(job, now, ending)
            if failure.retryable:
                state = self.store.retry(job, failure, self.configuration.crash_delay_s)
            else:
                self.store.fail(job, failure)
                state = JobState.FAILED
        except (LeaseLost, IllegalMove) as error:
            told = {"event": "lease_lost", "code": error.code, "job_id": job.id}
            _LOG.warning("%s", error, extra=told)
            return JobLeft("lost", error.code, 0.0)
        told = {"event": "child_died", "code": failure.code, "job_id": job.id}
        _LOG.error("%s", failure.message, extra=told)
        return JobLeft("failed" if state is JobState.FAILED else "retried", failure.code, 0.0)


def _failure(job: Job, now: Job, ending: _Ending) -> Failure:
    """Say what became of an attempt; a job that crashed twice in a row is not tried again."""
    if not ending.crashed:
        sentence = f"the job was cut off: {ending.sentence}"
        return Failure("WORKER_DIED", sentence, now.stage, retryable=True)
    if job.failure is not None and job.failure.code == CRASHED:
        sentence = f"the job crashed twice and is not tried again: {ending.sentence}"
        return Failure("POISONED", sentence, now.stage)
    return Failure(CRASHED, f"the job crashed: {ending.sentence}", now.stage, retryable=True)


def _left(job: Job, now: Job) -> JobLeft:
    """Say how an attempt ended whose fate stands in the store already."""
    code = now.failure.code if now.failure is not None else ""
    if now.fence != job.fence and now.state is not JobState.REJECTED:
        return JobLeft("lost", LeaseLost.code, 0.0)
    return JobLeft("retried" if now.state is JobState.QUEUED else str(now.state), code, 0.0)


def _end(child: subprocess.Popen[str]) -> None:
    """Ask the child to stop, then make it; returns when it is gone."""
    if child.poll() is not None:
        return
    child.terminate()
    try:
        child.wait(_TERMINATE_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
