"""How this installation is doing at one moment: what the console's System page and REST show.

It asks what `/readyz` asks, and the record of work; a part that does not answer is left out and
said, for this is where a person looks when something does not answer.
"""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
from dataclasses import dataclass
from itertools import chain, repeat
from typing import TYPE_CHECKING

from jobs.errors import JobsError
from jobs.forwarding import Behind
from jobs.migrate import head
from service.alerts import of_audit, of_checks, of_disks, of_work
from service.api.health import checks_of
from service.model_rows import model_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from jobs.job import JobState
    from jobs.overview import LastDay, Overview
    from jobs.presence import Worker
    from service.alerts import Alert
    from service.api.health import Checked
    from service.api.site import Site
    from service.model_rows import ModelRow

_LIBRARIES = (
    "pydicom",
    "pynetdicom",
    "highdicom",
    "sqlalchemy",
    "fastapi",
    "uvicorn",
    "jinja2",
    "celery",
    "torch",
)


@dataclass(frozen=True)
class ServedModel:
    """One version of a model that studies are measured with, or could be."""

    row: ModelRow
    stage: str
    """In which it is asked."""
    last_at: datetime | None
    """When a job finished that stage last, UTC; None: never, or it does not serve."""
    last_seconds: float | None


@dataclass(frozen=True)
class Disk:
    """A volume that Osteon writes to, in bytes."""

    name: str
    free: int
    total: int
    floor: int
    """With less free space images are refused, or results cannot be written."""


@dataclass(frozen=True)
class Work:
    """What the record of work says."""

    counts: dict[JobState, int]
    seen: Overview
    oldest_queued_s: float | None
    last_day: LastDay
    workers: tuple[Worker, ...]
    audit_behind: Behind
    """What the syslog server does not have of the audit; nothing where there is none."""


@dataclass(frozen=True)
class Installation:
    """All of it."""

    checks: tuple[Checked, ...]
    alerts: tuple[Alert, ...]
    work: Work | None
    """None: the database does not answer."""
    models: tuple[ServedModel, ...]
    disks: tuple[Disk, ...]
    versions: Mapping[str, str]


def look(site: Site) -> Installation:
    """Ask every part once; takes as long as what does not answer within half a second each."""
    checks = checks_of(site)
    work, last_stages = _work(site)
    disks = tuple(_disks(site))
    ready = {check.name: check.ok for check in checks}
    alerts = [*of_checks(ready), *of_disks({d.name: d.free for d in disks}, site.spool_floor_bytes)]
    if work is not None:
        alerts += [*of_work(work.counts, work.seen, work.workers), *of_audit(work.audit_behind)]
    return Installation(
        checks=checks,
        alerts=tuple(alerts),
        work=work,
        models=tuple(_models(site, last_stages)),
        disks=disks,
        versions=versions(site),
    )


def versions(site: Site) -> dict[str, str]:
    """Return what runs here: Osteon, its commit, the schema, Python and the larger libraries."""
    found = {"osteon": site.version, "commit": site.git_commit[:12], "schema": head()}
    found["python"] = platform.python_version()
    for name in _LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:  # not in the image of this process
            continue
    return found


def served_models(site: Site) -> tuple[ServedModel, ...]:
    """Return the models alone.

    Raises:
        StoreUnavailable: the database does not answer.

    """
    return tuple(_models(site, site.store.last_stages()))


def _work(site: Site) -> tuple[Work | None, Mapping[str, tuple[datetime, float]]]:
    store = site.store
    try:
        work = Work(
            counts=store.counts(),
            seen=store.overview(),
            oldest_queued_s=store.oldest_queued_age_s(),
            last_day=store.last_day(),
            workers=store.workers(),
            audit_behind=_audit_behind(site),
        )
        return work, store.last_stages()
    except JobsError:  # a check says so
        return None, {}


def _audit_behind(site: Site) -> Behind:
    receiver = site.audit_receiver
    return site.store.audit_behind(receiver) if receiver else Behind(0, 0.0)


def _models(site: Site, last_stages: Mapping[str, tuple[datetime, float]]) -> Iterator[ServedModel]:
    stages = chain(site.configured.model_stages, repeat(""))
    for folder, stage in zip(site.model_dirs, stages, strict=False):
        for row in model_rows(folder):
            at, seconds = last_stages.get(stage, (None, None)) if row.serves else (None, None)
            yield ServedModel(row, stage, at, seconds)


def _disks(site: Site) -> Iterator[Disk]:
    volumes = (
        ("spool", site.spool_dir, site.spool_floor_bytes),
        ("results", site.results_dir, 2**30),
    )
    for name, folder, floor in volumes:
        there = next(path for path in (folder, *folder.parents) if path.exists())
        used = shutil.disk_usage(there)
        yield Disk(name, used.free, used.total, floor)
