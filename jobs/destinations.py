"""Part of the store: destinations that are away, so that all jobs together leave one in peace.

A circuit breaker that every worker shares. While it is open no job calls the destination; when its
pause is over one job does, and the others wait for what comes of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, or_, select, update

from jobs.delivery_tables import deliveries, destinations
from jobs.engine import Records, reads, writes
from jobs.job import JobState, Stage
from jobs.result import ON_ITS_WAY
from jobs.rows import to_value
from jobs.schema import jobs, results

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Select

    from jobs.engine import Transaction

_PROBE_S = 120.0  # a probe that says nothing for so long is dead
_OTHERS_S = 60.0  # the other jobs wait so much longer than the one that probes


@dataclass(frozen=True)
class DestinationAway:
    """A destination that did not answer when it was called last."""

    name: str
    failures: int  # in a row
    failed_since: datetime  # UTC
    not_before: datetime | None  # no job calls it before this moment (UTC)
    code: str


class DestinationRecords(Records):
    """The breaker of each destination; one that has no row is well."""

    @writes
    def may_call(self, tx: Transaction, destination: str) -> float:
        """Return 0 if a job may call a destination now, else after how many seconds to ask again.

        Of several jobs that ask when the pause is over one gets 0.
        """
        mine = destinations.c.name == destination
        query = select(destinations.c.not_before).where(mine)
        until: datetime | None = tx.connection.execute(query).scalar_one_or_none()
        if until is None:
            return 0.0
        if until > tx.now:
            return float((until - tx.now).total_seconds())
        unchanged = mine & (destinations.c.not_before == until)
        probe = update(destinations).where(unchanged)
        probe = probe.values(not_before=tx.now + timedelta(seconds=_PROBE_S))
        return 0.0 if tx.connection.execute(probe).rowcount else _OTHERS_S

    @writes
    def destination_answered(self, tx: Transaction, destination: str) -> None:
        """Note that a destination is well again: whatever waited for it is due at once."""
        known = destinations.c.name == destination
        if not tx.connection.execute(delete(destinations).where(known)).rowcount:
            return
        waiting = deliveries.c.status.in_(ON_ITS_WAY) & (deliveries.c.destination == destination)
        now = {"next_try_at": tx.now}
        tx.connection.execute(
            update(deliveries).where(waiting, deliveries.c.transaction_uid.is_(None)).values(now)
        )
        wanted = _waiting_jobs().where(jobs.c.id.in_(_jobs_of(destination)))
        tx.connection.execute(
            update(jobs)
            .where(jobs.c.id.in_(wanted), jobs.c.not_before > tx.now)
            .values(not_before=tx.now)
        )

    @writes
    def destination_failed(
        self, tx: Transaction, destination: str, code: str, pauses_s: Sequence[float]
    ) -> float:
        """Note a call that failed; return for how many seconds nobody calls it now.

        `pauses_s` are the pauses after the first failure in a row, the second and so on; the last
        one repeats.
        """
        row = {"name": destination, "failures": 1, "failed_since": tx.now, "code": code}
        statement = tx.insert(destinations).values(row)
        more = {"failures": destinations.c.failures + 1, "code": code}
        number = tx.connection.execute(
            statement.on_conflict_do_update(
                index_elements=[destinations.c.name], set_=more
            ).returning(destinations.c.failures)
        ).scalar_one()
        pause_s: float = pauses_s[min(number, len(pauses_s)) - 1]
        until = tx.now + timedelta(seconds=pause_s)
        mine = destinations.c.name == destination
        tx.connection.execute(update(destinations).where(mine).values(not_before=until))
        _let_others_wait(tx, destination, until + timedelta(seconds=_OTHERS_S))
        return pause_s

    @reads
    def destinations_away(self, tx: Transaction) -> tuple[DestinationAway, ...]:
        """Return the destinations that did not answer when they were called last, by name."""
        rows = tx.connection.execute(select(destinations).order_by(destinations.c.name))
        return tuple(to_value(DestinationAway, row) for row in rows.mappings())


def _let_others_wait(tx: Transaction, destination: str, until: datetime) -> None:
    """Put off the jobs that wait for this destination and for nothing else."""
    others = _jobs_of(destination, other=True)
    wanted = _waiting_jobs().where(jobs.c.id.in_(_jobs_of(destination)), jobs.c.id.not_in(others))
    sooner = or_(jobs.c.not_before.is_(None), jobs.c.not_before < until)
    statement = update(jobs).where(jobs.c.id.in_(wanted), sooner)
    tx.connection.execute(statement.values(not_before=until))


def _waiting_jobs() -> Select[tuple[str]]:
    """Return the jobs whose results wait for a destination and not for a worker."""
    stage = jobs.c.failure_stage == Stage.DELIVER
    return select(jobs.c.id).where(jobs.c.state == JobState.QUEUED, stage)


def _jobs_of(destination: str, *, other: bool = False) -> Select[tuple[str]]:
    """Return the jobs that have something on its way to a destination, or to another one."""
    named = deliveries.c.destination == destination
    return (
        select(results.c.job_id)
        .join(deliveries, deliveries.c.result_id == results.c.id)
        .where(~named if other else named, deliveries.c.status.in_(ON_ITS_WAY))
    )
