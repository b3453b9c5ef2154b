"""Part of the store: which workers are there, as they themselves say every few seconds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from jobs.engine import Records, reads, writes
from jobs.job import JobState
from jobs.rows import to_job
from jobs.schema import jobs, workers

if TYPE_CHECKING:
    from datetime import datetime

    from jobs.engine import Transaction
    from jobs.job import Job

_FORGOTTEN = timedelta(days=1)


@dataclass(frozen=True)
class Worker:
    """One worker process and what it works on."""

    owner: str
    """Host and process, as it stands in leases."""
    version: str
    """Of its software; empty where it only holds a lease and never said."""
    started_at: datetime | None
    """UTC."""
    silent_s: float | None
    """Since it last said that it is there; None: it never did."""
    there: bool
    """Whether it said so in time."""
    jobs: tuple[Job, ...]
    """That it holds the lease of."""


class WorkerPresence(Records):
    """Workers tell here that they are there; no job depends on it."""

    @writes
    def tell_worker(self, tx: Transaction, owner: str, version: str, lease_s: float) -> None:
        """Say that a worker is there, for `lease_s` seconds; those silent for a day are removed."""
        tx.connection.execute(delete(workers).where(workers.c.until < tx.now - _FORGOTTEN))
        now = {"version": version, "seen_at": tx.now, "until": tx.now + timedelta(seconds=lease_s)}
        row = {"owner": owner, "started_at": tx.now, **now}
        statement = tx.insert(workers).values(row)
        key = [workers.c.owner]
        tx.connection.execute(statement.on_conflict_do_update(index_elements=key, set_=now))

    @writes
    def worker_left(self, tx: Transaction, owner: str) -> None:
        """Say that a worker ended as it should."""
        tx.connection.execute(delete(workers).where(workers.c.owner == owner))

    @reads
    def workers(self, tx: Transaction) -> tuple[Worker, ...]:
        """Return every worker that is there, was within a day, or holds a lease; by name."""
        running = select(jobs).where(jobs.c.state == JobState.RUNNING).order_by(jobs.c.created_at)
        held: dict[str, list[Job]] = {}
        for row in tx.connection.execute(running).mappings():
            held.setdefault(row["lease_owner"] or "", []).append(to_job(row))
        found = {
            row.owner: Worker(
                row.owner,
                row.version,
                row.started_at,
                max(0.0, (tx.now - row.seen_at).total_seconds()),
                row.until >= tx.now,
                tuple(held.pop(row.owner, ())),
            )
            for row in tx.connection.execute(select(workers))
        }
        for owner, jobs_held in held.items():
            found[owner] = Worker(owner, "", None, None, False, tuple(jobs_held))
        return tuple(found[owner] for owner in sorted(found))
