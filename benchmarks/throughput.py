"""Studies an hour, and how long a study waits and runs: many sent at once, embedded and production.

`python -m benchmarks.throughput --studies 20 --workers 1 2` starts real processes, for production
mode real PostgreSQL and Redis too, and sends synthetic studies with DCMTK's storescu.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dicom_objects.scanner.study import Identity, write_study
from jobs.job import EventKind, JobState
from jobs.migrate import upgrade
from jobs.store import JobStore
from phantom.acquisition import Protocol, acquire
from phantom.patient import make_patient
from service.demonstration.stand_in import AE_TITLE, StandInPacs
from service.synthetic import SMALL
from tests.acceptance.peers import storescu
from tests.servers import PostgreSQL, Redis, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jobs.job import Job

MODES = ("embedded", "celery")
SEED = 1000
_SENDERS = 4
_START_S = 120.0


class Times(NamedTuple):
    """One study, in seconds since its job was opened."""

    claimed_s: float
    delivered_s: float


def main(arguments: Sequence[str] = ()) -> None:
    """Measure every mode with every number of workers; print a row for each."""
    asked = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that no server is left behind
    cores = os.cpu_count() or 1
    size = "coarse" if asked.small else "full-size"
    print(f"{asked.studies} {size} synthetic studies sent at once, {cores} cores, seconds")
    print("mode      workers  studies/h  queue p50  queue p95  processing p50  processing p95")
    with tempfile.TemporaryDirectory(prefix="osteon-throughput-") as name:
        folder = Path(name)
        studies = _write(folder, asked.studies, small=asked.small)
        for mode in asked.modes:
            for workers in asked.workers:
                place = folder / f"{mode}-{workers}"
                place.mkdir()
                per_hour, times = _measure(place, studies, mode, workers)
                queue = [t.claimed_s for t in times]
                running = [t.delivered_s - t.claimed_s for t in times]
                row = (_share(queue, 0.5), _share(queue, 0.95))
                row += (_share(running, 0.5), _share(running, 0.95))
                form = "{:9s} {:7d} {:10.1f} {:10.1f} {:10.1f} {:15.1f} {:15.1f}"
                print(form.format(mode, workers, per_hour, *row), flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.throughput", description=__doc__)
    parser.add_argument("--studies", type=int, default=20)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--modes", nargs="+", choices=MODES, default=list(MODES))
    parser.add_argument("--small", action="store_true", help="coarse pixels: to try the command")
    return parser


def _write(folder: Path, n: int, *, small: bool) -> list[Path]:
    """Write one acquisition under the names of `n` patients."""
    acquisition = acquire(make_patient(SEED), SMALL if small else Protocol())
    folders = [folder / f"study{number}" for number in range(n)]
    for number, study in enumerate(folders):
        identity = Identity(accession_number=f"LOAD{number}")
        write_study(acquisition, study, identity, distractors=False)
    return folders


def _measure(
    place: Path, studies: Sequence[Path], mode: str, workers: int
) -> tuple[float, list[Times]]:
    """Return studies an hour, from the first job to the last delivery, and each study's times."""
    port = free_port()
    with contextlib.ExitStack() as stack:
        pacs_port = stack.enter_context(StandInPacs(place / "pacs").listening())
        database, text = stack.enter_context(_servers(place, mode))
        threads = max(1, (os.cpu_count() or 1) // workers)
        settings = place / "osteon.toml"
        settings.write_text(
            f'data_dir = "{place / "data"}"\n'
            f"[node]\nport = {port}\n[worker]\nthreads = {threads}\n{text}"
            f'[[destinations]]\nname = "stand-in"\nae_title = "{AE_TITLE}"\n'
            f'host = "127.0.0.1"\nport = {pacs_port}\n',
            encoding="utf-8",
        )
        upgrade(database)
        store = stack.enter_context(JobStore(database))
        for number in range(workers + 1):
            stack.enter_context(_process(settings, "worker" if number else "node", number))
        _send(studies, port)
        jobs = _wait(store, len(studies))
        times = [_times(store, job) for job in jobs]
        begun = min(job.created_at for job in jobs)
        ended = max(store.events(job.id)[-1].at for job in jobs)
    return 3600.0 * len(jobs) / (ended - begun).total_seconds(), times


@contextlib.contextmanager
def _servers(place: Path, mode: str) -> Iterator[tuple[str, str]]:
    """Yield the database's address and the settings of store and queue."""
    if mode == "embedded":
        (place / "data").mkdir()
        yield f"sqlite:///{place / 'data' / 'osteon.sqlite'}", ""
        return
    postgresql, redis = PostgreSQL(), Redis(place / "redis")
    try:
        database = postgresql.create("throughput")
        settings = (
            f'[store]\nurl = "{database}"\n[queue]\nbackend = "celery"\n'
            f'broker_url = "{redis.address}"\npassword = "{redis.PASSWORD}"\n'
        )
        yield database, settings
    finally:
        redis.kill()
        postgresql.close()


@contextlib.contextmanager
def _process(settings: Path, kind: str, number: int) -> Iterator[None]:
    command = [sys.executable, "-m", "service", "--config", str(settings), kind]
    with (settings.parent / f"{kind}-{number}.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            yield
        finally:
            process.terminate()
            process.wait()


def _send(studies: Sequence[Path], port: int) -> None:
    deadline = time.monotonic() + _START_S
    while not storescu(studies[0], port).complete:  # the node may not listen yet
        if time.monotonic() > deadline:
            message = "the node does not take studies"
            raise SystemExit(message)
        time.sleep(0.5)
    with ThreadPoolExecutor(_SENDERS) as pool:
        sent = list(pool.map(lambda study: storescu(study, port), studies[1:]))
    if not all(one.complete for one in sent):
        message = "a study was not taken whole"
        raise SystemExit(message)


def _wait(store: JobStore, n: int) -> tuple[Job, ...]:
    while True:
        jobs = store.jobs(limit=2 * n)
        bad = [job for job in jobs if job.state in (JobState.FAILED, JobState.REJECTED)]
        if bad:
            message = f"a study was not delivered: {bad[0].failure}"
            raise SystemExit(message)
        if len(jobs) == n and all(job.state is JobState.DELIVERED for job in jobs):
            return jobs
        time.sleep(1.0)


def _times(store: JobStore, job: Job) -> Times:
    events = store.events(job.id)
    claimed = next(event.at for event in events if event.kind is EventKind.CLAIMED)
    return Times(
        (claimed - job.created_at).total_seconds(),
        (events[-1].at - job.created_at).total_seconds(),
    )


def _share(values: Sequence[float], share: float) -> float:
    """Return the smallest value that `share` of all do not exceed."""
    return sorted(values)[math.ceil(share * len(values)) - 1]


if __name__ == "__main__":
    main(sys.argv[1:])
