"""The support bundle of a run: what a developer needs to see what went wrong, and no patient data.

What goes in is chosen field by field. Descriptions of series are left out, for people write names
into them; UIDs are replaced by digests, for an archive finds a patient by them.
"""

from __future__ import annotations

import hashlib
import io
import json
import platform
import re
import zipfile
from importlib import metadata
from typing import TYPE_CHECKING, Any

from service.console.run_document import DocumentGone, run_document
from workers.advice import advice_on

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jobs.job import Job
    from jobs.store import JobStore
    from report.shown import Document
    from service.api.site import Site

_UID = re.compile(r"\b[0-2](?:\.(?:0|[1-9]\d*)){2,}\b")
_THE_SAME_DAY = (1980, 1, 1, 0, 0, 0)
_SERIES = (
    "series_number", "role", "content", "b_values", "b_labels", "b_source", "n_instances",
    "geometry", "volumes", "n_slices", "rows", "columns", "spacing_mm", "slice_range_mm", "trace",
    "used", "code", "reason", "notes", "faults",
)  # fmt: skip
_PACKAGES = (
    "osteon", "fastapi", "uvicorn", "sqlalchemy", "numpy", "pillow", "pydicom", "pynetdicom",
    "highdicom", "torch", "SimpleITK", "weasyprint",
)  # fmt: skip
_README = """Osteon support bundle (research software).

run.json       state, failure and what to do      events.json   history of the run
stages.json    seconds by stage                   series.json   why each series was used or not
quality.json   quality notes                      files.json    results with their digests
versions.json  software, packages and models

It holds no name, number or date of a patient, no description of a series and no image.
UIDs are replaced by digests: the same UID has the same digest in all files.
"""


def bundle_of(site: Site, job: Job) -> bytes:
    """Return the bundle of one run as a zip; equal records give equal bytes."""
    try:
        document = run_document(site, job.id)
    except DocumentGone:
        document = None
    contents: dict[str, object] = {
        "run.json": _run(job),
        "events.json": _events(site.store, job.id),
        "stages.json": site.store.stage_seconds(job.id),
        "series.json": _series(site.store.summary(job.id) or {}),
        "quality.json": document["quality"] if document else [],
        "files.json": _files(site.store, job.id),
    }
    texts = {"README.txt": _README}
    for name, content in contents.items():
        texts[name] = _without_uids(json.dumps(content, indent=2, default=str) + "\n")
    texts["versions.json"] = json.dumps(_versions(site, document), indent=2) + "\n"
    return _zipped(texts)


def _run(job: Job) -> dict[str, object]:
    failure = job.failure
    return {
        "job_id": job.id,
        "trace_id": job.id,
        "study": job.study_uid,
        "revision": job.revision,
        "state": job.state,
        "stage": job.stage,
        "attempt": job.attempt,
        "max_attempts": job.max_attempts,
        "created_at": job.created_at.isoformat(),
        "updated_at": job.updated_at.isoformat(),
        "failure": failure
        and {
            "code": failure.code,
            "message": failure.message,
            "stage": failure.stage,
            "retryable": failure.retryable,
            "what_to_do": advice_on(failure.code),
        },
    }


def _events(store: JobStore, job_id: str) -> list[dict[str, object]]:
    return [
        {"at": e.at.isoformat(), "kind": e.kind, "stage": e.stage, "data": dict(e.data)}
        for e in store.events(job_id)
    ]


def _series(summary: Mapping[str, Any]) -> list[dict[str, object]]:
    return [
        {"series": str(one.get("series_uid", "")), **{name: one.get(name) for name in _SERIES}}
        for one in summary.get("series") or ()
    ]


def _files(store: JobStore, job_id: str) -> list[dict[str, object]]:
    ways: dict[str, dict[str, str]] = {}
    for way in store.deliveries(job_id):
        ways.setdefault(way.name, {})[way.destination] = str(way.status)
    return [
        {"name": r.name, "kind": r.kind, "sha256": r.sha256, "delivered": ways.get(r.name, {})}
        for r in store.results(job_id)
    ]


def _versions(site: Site, document: Document | None) -> dict[str, object]:
    return {
        "osteon": site.version,
        "git_commit": site.git_commit,
        "python": platform.python_version(),
        "system": platform.platform(),
        "packages": {name: _version(name) for name in _PACKAGES},
        "measured_by": document["provenance"] if document else None,
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _without_uids(text: str) -> str:
    return _UID.sub(lambda found: f"uid-{hashlib.sha256(found[0].encode()).hexdigest()[:12]}", text)


def _zipped(texts: Mapping[str, str]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, text in texts.items():
            bundle.writestr(zipfile.ZipInfo(name, _THE_SAME_DAY), text)
    return file.getvalue()
