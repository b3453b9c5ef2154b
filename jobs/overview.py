"""Part of the store: how the work stands as a whole, in one consistent view, for those who watch.

Costs what waits or failed, not what was ever done: a scrape every few seconds must stay cheap.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from jobs.claims import left_by_worker, waits
from jobs.delivery_tables import deliveries, destinations
from jobs.engine import Records, reads
from jobs.job import JobState, band_of
from jobs.result import DeliveryStatus
from jobs.schema import jobs, results, studies

if TYPE_CHECKING:
    from datetime import datetime

    from jobs.engine import Transaction

_ENDED_BADLY = (JobState.FAILED, JobState.HELD, JobState.REJECTED)
_ENDED = (JobState.DELIVERED, *_ENDED_BADLY)
_GOES_ON = (JobState.QUEUED, JobState.RUNNING, JobState.HELD)


@dataclass(frozen=True)
class PendingDeliveries:
    """Objects on their way to one destination."""

    destination: str
    n_objects: int
    oldest_s: float
    """Since the object that waits longest was to be sent."""


@dataclass(frozen=True)
class DestinationTrouble:
    """A destination that did not answer when it was called last."""

    destination: str
    failures: int
    """In a row."""
    since_s: float
    """Since the first of them."""
    again_s: float
    """Until a job may call it again; 0: now."""
    code: str


@dataclass(frozen=True)
class Overview:
    """The record of work as a whole, at one moment."""

    queued: dict[int, int]
    """Queued jobs by the priority that they count to (`jobs.job.band_of`)."""
    n_due: int
    """Jobs that a claim would take now."""
    due_for_s: float
    """For how long the job that waits longest for a worker has been due; 0 if none is."""
    leases_run_out: int
    """Running jobs whose worker is silent for longer than its lease."""
    codes: dict[tuple[JobState, str], int]
    """Jobs that failed, are held or were rejected, by state and code; replaced ones left out."""
    failed_last_s: float | None
    """Since the last of the failed ones failed."""
    pending: tuple[PendingDeliveries, ...]
    """Of jobs that go on; by destination."""
    received_last_s: float | None
    """Since the last new instance came."""
    away: tuple[DestinationTrouble, ...] = ()
    """By destination."""


@dataclass(frozen=True)
class LastDay:
    """What came and what became of it within 24 hours."""

    received: int
    """Studies whose first image came."""
    fates: dict[JobState, int]
    """Jobs that ended so, or wait for a person; without those that newer images replaced."""
    replaced: int


class WorkOverview(Records):
    """What a person who watches wants to know."""

    @reads
    def overview(self, tx: Transaction) -> Overview:
        """Return how the work stands now."""
        n_due, since = tx.connection.execute(
            select(
                func.count(), func.min(func.coalesce(jobs.c.not_before, jobs.c.updated_at))
            ).where(waits(tx))
        ).one()
        lost = select(func.count()).select_from(jobs).where(left_by_worker(tx))
        received = tx.connection.execute(select(func.max(studies.c.last_received_at)))
        return Overview(
            queued=_queued(tx),
            n_due=n_due,
            due_for_s=_ago_s(tx, since) or 0.0,
            leases_run_out=tx.connection.execute(lost).scalar_one(),
            codes=_codes(tx),
            failed_last_s=_failed_last_s(tx),
            pending=_pending(tx),
            received_last_s=_ago_s(tx, received.scalar_one()),
            away=_away(tx),
        )

    @reads
    def last_day(self, tx: Transaction) -> LastDay:
        """Return what came and ended within the last 24 hours."""
        since = tx.now - timedelta(days=1)
        came = select(func.count()).select_from(studies).where(studies.c.first_received_at >= since)
        query = (
            select(jobs.c.state, jobs.c.failure_code, func.count())
            .where(jobs.c.updated_at >= since, jobs.c.state.in_(_ENDED))
            .group_by(jobs.c.state, jobs.c.failure_code)
        )
        fates = dict.fromkeys(_ENDED, 0)
        n_replaced = 0
        for state, code, n in tx.connection.execute(query):
            if code == "SUPERSEDED":
                n_replaced += n
            else:
                fates[JobState(state)] += n
        return LastDay(tx.connection.execute(came).scalar_one(), fates, n_replaced)


def _ago_s(tx: Transaction, at: datetime | None) -> float | None:
    return None if at is None else max(0.0, (tx.now - at).total_seconds())


def _queued(tx: Transaction) -> dict[int, int]:
    query = select(jobs.c.priority, func.count()).where(jobs.c.state == JobState.QUEUED)
    found: Counter[int] = Counter()
    for priority, n in tx.connection.execute(query.group_by(jobs.c.priority)):
        found[int(band_of(priority))] += n
    return dict(found)


def _codes(tx: Transaction) -> dict[tuple[JobState, str], int]:
    """Count what ended badly and was not replaced by a newer revision of its study."""
    newest = jobs.c.revision == studies.c.revision
    query = (
        select(jobs.c.state, jobs.c.failure_code, func.count())
        .join(studies, studies.c.uid == jobs.c.study_uid)
        .where(jobs.c.state.in_(_ENDED_BADLY), newest)
        .group_by(jobs.c.state, jobs.c.failure_code)
    )
    return {(JobState(s), code or ""): n for s, code, n in tx.connection.execute(query)}


def _failed_last_s(tx: Transaction) -> float | None:
    newest = jobs.c.revision == studies.c.revision
    query = (
        select(func.max(jobs.c.updated_at))
        .join(studies, studies.c.uid == jobs.c.study_uid)
        .where(jobs.c.state == JobState.FAILED, newest)
    )
    return _ago_s(tx, tx.connection.execute(query).scalar_one())


def _pending(tx: Transaction) -> tuple[PendingDeliveries, ...]:
    query = (
        select(deliveries.c.destination, func.count(), func.min(deliveries.c.queued_at))
        .join(results, results.c.id == deliveries.c.result_id)
        .join(jobs, jobs.c.id == results.c.job_id)
        .where(jobs.c.state.in_(_GOES_ON), deliveries.c.status == DeliveryStatus.QUEUED)
        .group_by(deliveries.c.destination)
        .order_by(deliveries.c.destination)
    )
    rows = tx.connection.execute(query)
    return tuple(PendingDeliveries(name, n, _ago_s(tx, at) or 0.0) for name, n, at in rows)


def _away(tx: Transaction) -> tuple[DestinationTrouble, ...]:
    rows = tx.connection.execute(select(destinations).order_by(destinations.c.name))
    return tuple(
        DestinationTrouble(
            destination=row.name,
            failures=row.failures,
            since_s=_ago_s(tx, row.failed_since) or 0.0,
            again_s=max(0.0, ((row.not_before or tx.now) - tx.now).total_seconds()),
            code=row.code,
        )
        for row in rows
    )
