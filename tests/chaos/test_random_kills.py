"""D-1: kill -9 of anything at any time; nothing is lost, nothing comes twice.

Short form: 20 kills over 10 studies, embedded. `--full`: 200 kills over 100 studies in each mode,
production with Redis and PostgreSQL among the victims. CHAOS_SEED repeats the moments of a failure.
"""

import os
import random
import signal
import statistics
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

import psutil
import pytest

from jobs.errors import StoreUnavailable
from jobs.job import JobState
from tests.acceptance.peers import wait_for
from tests.chaos.figures import tell
from tests.chaos.ledger import check, told
from tests.chaos.small_studies import write_small_study

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(5400)]

SERVERS_DOWN_S = 0.5
RECOVERY_S = 60.0
_JOB_S = 3.0  # to find a job that runs; then somebody else is the next
_QUIET_S = 2.0  # between two kills at most, as reliability.md asks


@pytest.fixture
def size(full):
    """Kills, studies, and images in each."""
    return (200, 100, 60) if full else (20, 10, 6)


@dataclass
class Killer:
    """Kills one victim after another, each at a moment of its own, and times its return."""

    system: object
    pacs: object
    kills: int
    dice: random.Random
    done: Counter = field(default_factory=Counter)
    recovered_s: list[float] = field(default_factory=list)
    trouble: list[BaseException] = field(default_factory=list)

    def run(self):
        try:
            with self.system.store() as self.store:
                while self.done.total() < self.kills:
                    time.sleep(self.dice.uniform(0.0, _QUIET_S))
                    self._kill(self.dice.choice(self._victims()))
        except BaseException as error:
            self.trouble.append(error)
            raise

    def _victims(self):
        servers = ("redis", "postgresql") if hasattr(self.system.service, "redis") else ()
        return (*self.system.names, "job", "pacs", *servers)

    def _kill(self, victim):
        if victim == "job" or victim.startswith("worker"):
            # A job whose process dies in each of its attempts fails, rightly: not one too many.
            wait_for("a job that bears it", self._a_job_bears_it, RECOVERY_S)
        came_back = getattr(self, f"_end_{victim.split('-')[0]}")(victim)
        if came_back is None:
            return
        self.done[victim] += 1
        began_s = time.monotonic()
        wait_for(f"the return of {victim}", came_back, RECOVERY_S)
        self.recovered_s.append(time.monotonic() - began_s)

    def _a_job_bears_it(self):
        running = self.store.jobs(JobState.RUNNING)
        idle = not self.store.jobs(JobState.QUEUED) and not running
        return idle or (running and all(job.attempt < job.max_attempts - 1 for job in running))

    def _end_node(self, name):
        return self._end_ours(name, self.system.listens)

    def _end_worker(self, name):
        return self._end_ours(name, self._work_goes_on)

    def _end_ours(self, name, came_back):
        before = self.system.pid(name)
        self.system.kill(name)
        return lambda: self.system.pid(name) != before and came_back()

    def _end_job(self, _name):
        deadline = time.monotonic() + _JOB_S
        while not (processes := self.system.job_processes()) and time.monotonic() < deadline:
            time.sleep(0.05)
        for process in processes:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        return self._work_goes_on if processes else None

    def _work_goes_on(self):
        """A job is running, or none waits."""
        return self.store.jobs(JobState.RUNNING) or not self.store.jobs(JobState.QUEUED)

    def _end_pacs(self, _name):
        self.pacs.kill()
        time.sleep(SERVERS_DOWN_S)
        self.pacs.start()
        return lambda: True

    def _end_redis(self, _name):
        redis = self.system.service.redis
        redis.lose_everything()
        time.sleep(SERVERS_DOWN_S)
        redis.start()
        return lambda: True

    def _end_postgresql(self, _name):
        self.system.postgresql.stop(signal.SIGQUIT)
        time.sleep(SERVERS_DOWN_S)
        self.system.postgresql.start()
        return self._answers

    def _answers(self):
        try:
            return bool(self.store.counts())
        except StoreUnavailable:
            return False


def test_killed_at_random_nothing_is_lost_and_nothing_comes_twice(
    backend, system, pacs, size, tmp_path, request
):
    kills, n_studies, images = size
    if backend == "production":
        system.postgresql = request.getfixturevalue("postgresql")
    seed = int(os.environ.get("CHAOS_SEED", time.time_ns() % 100_000))
    print(f"\nCHAOS_SEED={seed}")  # noqa: T201 - shown where the test fails
    system.orders.measure_for(0.3)
    killer = Killer(system, pacs, kills, random.Random(seed))
    thread = threading.Thread(target=killer.run)
    thread.start()
    sender, sent = system.sender(), 0
    while thread.is_alive() or sent < n_studies:
        # Studies last as long as the killer does: half of them before it is half through.
        if sent < n_studies * max(killer.done.total(), 1) / kills or not thread.is_alive():
            study = write_small_study(tmp_path / f"study{sent}", images, size=64)
            sender.send_all(study.paths, study.uid, limit_s=300)
            sent += 1
        else:
            time.sleep(0.1)
    assert not killer.trouble, killer.trouble
    system.settle(600)
    found = check(system.scene())
    times = sorted(killer.recovered_s)
    tell(
        f"{backend}: {killer.done.total()} kills {dict(killer.done)}, {sent} studies, recovery "
        f"median {statistics.median(times):.1f} s, longest {times[-1]:.1f} s"
    )
    print("\n".join(told(found)))  # noqa: T201
    assert not any(found.values())
    assert statistics.median(times) < 10.0
    assert times[-1] < RECOVERY_S
