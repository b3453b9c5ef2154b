"""Part of the store: the append-only history of a job."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select

from jobs.engine import Records, reads
from jobs.outbox import announce
from jobs.rows import to_event
from jobs.schema import job_events, stage_times

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from jobs.engine import Transaction
    from jobs.job import EventKind, JobEvent, Stage

_SETTLES_S = 5.0
_LOOKED_BACK = 200


def write_event(
    tx: Transaction, job_id: str, kind: EventKind, stage: Stage | None = None, **data: object
) -> None:
    """Append a line to a job's history, and a message for every webhook that asks for such lines.

    Call after an UPDATE of the job's row in the same transaction: its lock makes the ids of one
    job become visible in their order, so a reader that resumes after an id misses nothing.
    """
    row = {"job_id": job_id, "at": tx.now, "kind": kind, "stage": stage, "data": data}
    statement = insert(job_events).values(row).returning(job_events.c.id)
    announce(tx, tx.connection.execute(statement).scalar_one(), kind)


class JobHistory(Records):
    """Events and stage times."""

    @reads
    def events(
        self, tx: Transaction, job_id: str, after: int = 0, limit: int | None = None
    ) -> tuple[JobEvent, ...]:
        """Return a job's events with ids above `after`, in order: what an event stream resumes.

        An unknown job has none.
        """
        query = (
            select(job_events)
            .where(job_events.c.job_id == job_id, job_events.c.id > after)
            .order_by(job_events.c.id)
            .limit(limit)
        )
        return tuple(to_event(row) for row in tx.connection.execute(query).mappings())

    @reads
    def all_events(self, tx: Transaction, after: int, limit: int) -> tuple[JobEvent, ...]:
        """Return the events of every job with ids above `after`, in order; at most `limit`.

        PostgreSQL shows a number only when its transaction ends, maybe after a higher one of
        another job. So the answer stops at a number that is missing, until what follows it is five
        seconds old: then the missing one was rolled back.
        """
        query = select(job_events).where(job_events.c.id > after)
        rows = tx.connection.execute(query.order_by(job_events.c.id).limit(limit)).mappings()
        events = [to_event(row) for row in rows]
        last = _last_settled(after, ((e.id, e.at) for e in events), tx.now)
        return tuple(event for event in events if event.id <= last)

    @reads
    def last_event_id(self, tx: Transaction) -> int:
        """Return the id after which `all_events` gives what happens from now on; 0 at the start."""
        query = select(job_events.c.id, job_events.c.at).order_by(job_events.c.id.desc())
        newest = tx.connection.execute(query.limit(_LOOKED_BACK)).all()[::-1]
        before = newest[0].id - 1 if newest else 0
        return _last_settled(before, ((row.id, row.at) for row in newest), tx.now)

    @reads
    def stage_seconds(self, tx: Transaction, job_id: str) -> dict[str, float]:
        """Return seconds by stage, in order of finishing; of a repeated stage the last."""
        query = (
            select(stage_times.c.stage, stage_times.c.seconds)
            .where(stage_times.c.job_id == job_id)
            .order_by(stage_times.c.at, stage_times.c.stage)
        )
        return {row.stage: row.seconds for row in tx.connection.execute(query)}

    @reads
    def last_stages(self, tx: Transaction) -> dict[str, tuple[datetime, float]]:
        """Return by stage when a job finished it last, and the seconds that this one took."""
        newest = select(stage_times.c.stage, func.max(stage_times.c.at).label("at"))
        last = newest.group_by(stage_times.c.stage).subquery()
        same = (stage_times.c.stage == last.c.stage) & (stage_times.c.at == last.c.at)
        query = select(stage_times.c.stage, stage_times.c.at, stage_times.c.seconds).join(
            last, same
        )
        return {stage: (at, seconds) for stage, at, seconds in tx.connection.execute(query)}

    @reads
    def stage_totals(self, tx: Transaction) -> dict[str, tuple[int, float]]:
        """Return by stage how many jobs finished it and the seconds of all, for metrics."""
        query = select(
            stage_times.c.stage, func.count().label("n"), func.sum(stage_times.c.seconds)
        ).group_by(stage_times.c.stage)
        return {stage: (n, seconds) for stage, n, seconds in tx.connection.execute(query)}


def _last_settled(after: int, rows: Iterable[tuple[int, datetime]], now: datetime) -> int:
    """Return the last id before which no event can appear any more."""
    for number, at in rows:
        if number != after + 1 and at > now - timedelta(seconds=_SETTLES_S):
            return after
        after = number
    return after
