"""Studies an hour, how long one waits and runs, and what it holds: many sent at once.

`python -m benchmarks.throughput --json FIGURES` starts real processes; in production mode real
PostgreSQL, Redis and Triton too. DCMTK's storescu sends synthetic studies, a stand-in PACS takes
the results. `--triton HOST:PORT` asks a Triton that runs already, as on a GPU.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.figures import Figures, Load, as_table, percentile
from benchmarks.installation import MODES, Order, folder_bytes, installation
from benchmarks.memory import MemoryWatch
from dicom_objects.scanner.study import Identity, write_study
from jobs.job import EventKind, JobState
from jobs.store import JobStore
from phantom.acquisition import Protocol, acquire, body_grid
from phantom.body_models import paint_body
from phantom.patient import make_patient
from phantom.t1 import acquire_t1
from service.synthetic import SMALL, SMALL_T1, T1
from tests.acceptance.peers import storescu

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.installation import Installation
    from jobs.job import Job

SEED = 1000
_SENDERS = 4
_START_S = 120.0


@dataclass(frozen=True)
class _Study:
    folder: Path
    n_instances: int


def main(arguments: Sequence[str] = ()) -> None:
    """Measure every mode with every number of workers; print one table at the end."""
    asked = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that no server is left behind
    rows: list[Figures] = []
    with tempfile.TemporaryDirectory(prefix="osteon-throughput-") as name:
        folder = Path(name)
        studies = _write(folder, asked.studies, small=asked.small)
        load = Load(
            asked.studies,
            "coarse" if asked.small else "full-size",
            os.cpu_count() or 1,
            studies[0].n_instances,
            folder_bytes(studies[0].folder),
        )
        for mode, workers in product(asked.modes, asked.workers):
            order = Order(mode, workers, asked.triton)
            rows.append(_measure(folder / f"{mode}-{workers}", order, studies))
            print(json.dumps(rows[-1].document()), file=sys.stderr, flush=True)
            if asked.json:
                _keep(asked.json, load, rows)
    print(as_table(load, rows))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.throughput", description=__doc__)
    parser.add_argument("--studies", type=int, default=20)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--modes", nargs="+", choices=MODES, default=list(MODES))
    parser.add_argument("--triton", metavar="HOST:PORT", help="a Triton that runs already")
    parser.add_argument("--json", type=Path, metavar="FIGURES", help="for benchmarks.sizing")
    parser.add_argument("--small", action="store_true", help="coarse pixels: to try the command")
    return parser


def _keep(path: Path, load: Load, rows: Sequence[Figures]) -> None:
    document = {"load": load.document(), "rows": [row.document() for row in rows]}
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def _write(folder: Path, n: int, *, small: bool) -> list[_Study]:
    """Write one examination, diffusion and what is scanned with it, under `n` names."""
    patient, protocol = make_patient(SEED), SMALL if small else Protocol()
    body = paint_body(patient, body_grid(patient, protocol))
    acquisition = acquire(patient, protocol, body)
    t1 = acquire_t1(patient, body, SMALL_T1 if small else T1)
    studies = []
    for number in range(n):
        place, identity = folder / f"study{number}", Identity(accession_number=f"LOAD{number}")
        studies.append(_Study(place, len(write_study(acquisition, place, identity, t1=t1))))
    return studies


def _measure(place: Path, order: Order, studies: Sequence[_Study]) -> Figures:
    """Send all studies and wait for the last delivery."""
    with installation(place, order) as running, JobStore(running.database) as store:
        before = running.held_bytes()
        with MemoryWatch(running.pids) as memory:
            milliseconds = _send(studies, running.node_port)
            jobs = _wait(store, len(studies))
        held = {name: size - before[name] for name, size in running.held_bytes().items()}
        return _figures(order, running, store, jobs).with_footprint(
            milliseconds, {k: v // len(jobs) for k, v in held.items()}, memory.peaks
        )


def _figures(order: Order, running: Installation, store: JobStore, jobs: Sequence[Job]) -> Figures:
    waiting, running_s = zip(*(_times(store, job) for job in jobs), strict=True)
    begun = min(job.created_at for job in jobs)
    ended = max(store.events(job.id)[-1].at for job in jobs)
    sent = [
        (running.data / "results" / result.path).stat().st_size
        for result in store.results(jobs[0].id)
        if result.sop_instance_uid is not None
    ]
    return Figures(
        mode=order.mode,
        workers=order.workers,
        studies_an_hour=3600.0 * len(jobs) / (ended - begun).total_seconds(),
        waiting_s=(percentile(waiting, 0.5), percentile(waiting, 0.95)),
        processing_s=(percentile(running_s, 0.5), percentile(running_s, 0.95)),
        sent_bytes=sum(sent),
    )


def _send(studies: Sequence[_Study], port: int) -> float:
    """Send the first study, then the others, four at a time; return the median ms an instance."""
    deadline = time.monotonic() + _START_S
    while not storescu(studies[0].folder, port).complete:  # the node may not listen yet
        if time.monotonic() > deadline:
            message = "the node does not take studies"
            raise SystemExit(message)
        time.sleep(0.5)
    with ThreadPoolExecutor(_SENDERS) as pool:
        return percentile(list(pool.map(lambda study: _timed(study, port), studies[1:])), 0.5)


def _timed(study: _Study, port: int) -> float:
    begun = time.monotonic()
    if not storescu(study.folder, port).complete:
        message = "a study was not taken whole"
        raise SystemExit(message)
    return 1000.0 * (time.monotonic() - begun) / study.n_instances


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


def _times(store: JobStore, job: Job) -> tuple[float, float]:
    """Return the seconds from the job's opening to its claim, and from there to its delivery."""
    events = store.events(job.id)
    claimed = next(event.at for event in events if event.kind is EventKind.CLAIMED)
    return (claimed - job.created_at).total_seconds(), (events[-1].at - claimed).total_seconds()


if __name__ == "__main__":
    main(sys.argv[1:])
