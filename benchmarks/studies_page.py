"""How long the Studies screen takes the server, from the request to the last byte of its HTML.

`python -m benchmarks.studies_page [--listed 200] [--stored 2000] [--rounds 30]`

A store is filled with measured, failed, waiting and arriving studies with names and the summaries
of full runs, and the page is asked for through the whole application, in this process.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any

from sqlalchemy import event

from jobs.job import Failure, Stage
from jobs.labels import StudyLabel
from jobs.migrate import upgrade
from jobs.store import JobStore
from jobs.study import Instance, input_digest
from service.api.app import create_app
from service.api.site import Site

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", "Using `httpx` with")  # the service itself uses neither
    from fastapi.testclient import TestClient

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jobs.job import Job

_FIRST = datetime(2026, 1, 1, tzinfo=UTC)
_REGIONS = 25
_SERIES = 15


def main(given: Sequence[str] = ()) -> None:
    """Print milliseconds, statements and bytes of the page."""
    asked = _arguments(given)
    with tempfile.TemporaryDirectory() as name:
        url = f"sqlite:///{Path(name) / 'store.sqlite'}"
        upgrade(url)
        with JobStore(url) as store:
            for number in range(asked.stored):
                _add(store, number, waits=number >= asked.stored - 4)
            _measure(store, asked.listed, asked.rounds, asked.stored)


def _arguments(given: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="The Studies screen: server time of one page.")
    parser.add_argument("--listed", type=int, default=200)
    parser.add_argument("--stored", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=30)
    return parser.parse_args(given)


def _measure(store: JobStore, listed: int, rounds: int, stored: int) -> None:
    app = create_app(_site(store))
    statements: list[str] = []
    event.listen(store._engine, "before_cursor_execute", lambda *a: statements.append(a[2]))  # noqa: SLF001
    with TestClient(app, "http://localhost", client=("127.0.0.1", 1)) as client:
        page = client.get(f"/?limit={listed}")  # the first compiles templates and statements
        statements.clear()
        times_ms, busy_ms = [], []
        for _ in range(rounds):
            begun, busy = time.perf_counter(), time.process_time()
            page = client.get(f"/?limit={listed}")
            times_ms.append(1000 * (time.perf_counter() - begun))
            busy_ms.append(1000 * (time.process_time() - busy))
    rows = page.text.count('data-testid="study-row"')
    slowest = quantiles(times_ms, n=20)[-1]
    print(f"{rows} of {stored} studies listed, {rounds} requests, {len(page.content)} bytes")
    print(f"median {median(times_ms):.0f} ms, 95th percentile {slowest:.0f} ms")
    print(f"median {median(busy_ms):.0f} ms of one processor, whatever else the machine does")
    print(f"{len(statements) / rounds:g} SQL statements a page")


def _site(store: JobStore) -> Site:
    nowhere = Path("/nonexistent")
    return Site(
        store=store,
        results_dir=nowhere,
        spool_dir=nowhere,
        model_dirs=(),
        node_host="127.0.0.1",
        node_port=11112,
        node_ae_title="OSTEON",
        version="0",
        git_commit="",
    )


def _add(store: JobStore, number: int, *, waits: bool) -> None:
    uid = f"2.25.{number:06d}"
    instance = Instance(
        sop_instance_uid=f"{uid}.2",
        study_uid=uid,
        series_uid=f"{uid}.1",
        sop_class_uid="1.2.840.10008.5.1.4.1.1.4",
        transfer_syntax_uid="1.2.840.10008.1.2.1",
        sha256="a" * 64,
        size=10,
        path=f"studies/{number}.dcm",
        received_at=_FIRST + timedelta(minutes=number),
    )
    store.record_instances([instance])
    if waits and number % 2:
        return  # still arrives
    opened = store.open_revision(uid, input_digest([instance]))
    if waits or opened is None:
        return
    job = store.claim("benchmark", 600.0, opened.id)
    if job is not None:
        _finish(store, job, number)


def _finish(store: JobStore, job: Job, number: int) -> None:
    store.keep_label(
        job,
        StudyLabel(job.study_uid, f"Synthetic^{number}", f"P{number}", f"A{number}", "20260101"),
    )
    store.leave_stage(job, Stage.READ, 2.0)
    if number % 20 == 0:
        store.fail(job, Failure("INTERNAL", "a defect of Osteon; its log says where", Stage.READ))
        return
    store.keep_summary(job, _summary())
    store.deliver(job)


def _summary() -> dict[str, Any]:
    """Return a summary as large as that of a full run (`workers.summary`)."""
    change = {"percent": 12.3, "call": "within"}
    region = {"title": "Lumbar spine", "coverage": 1.0, "disease_volume_ml": 12.345678}
    series = {
        "series_uid": "2.25." + "1" * 38,
        "series_number": 7,
        "description": "",
        "role": "trace",
        "b_values": [50.0, 900.0],
        "b_source": "DICOM (0018,9087)",
        "n_instances": 80,
        "geometry": "40 x 128 x 128, 5 x 3.3 x 3.3 mm, z -900 to -700 mm",
        "used": True,
        "code": None,
        "reason": "used: the diffusion-weighted images of one station",
        "content": "dwi-trace",
        "volumes": [
            {"b": 50.0, "kind": "trace", "count": 1},
            {"b": 900.0, "kind": "trace", "count": 1},
        ],
        "notes": [],
    }
    note = {"code": "STATION_STEP", "severity": "warning", "text": "a step " * 12, "measured": 1.1}
    return {
        "tdv_ml": 123.456,
        "gadc_um2_s": 912.3,
        "n_lesions": 12,
        "coverage_status": "complete",
        "quality": [note] * 4,
        "follow_up": {"tdv": change, "gadc": change, "beyond_limit": False},
        "regions": [{**region, "n_lesions": 3, "gadc_um2_s": 900.0}] * _REGIONS,
        "series": [series] * _SERIES,
    }


if __name__ == "__main__":
    main(sys.argv[1:])
