"""Part of the store: how far the audit was handed on to receivers outside, as a syslog server.

The audit itself is the outbox: its rows are numbered without a gap and never change, so one number
says what a receiver has. Who hands on holds a lease, so that many processes may try; one that
dies meanwhile leaves the number where it was, and its rows go out again under the same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, or_, select, update

from jobs.access_tables import audit, audit_receivers
from jobs.engine import Records, reads, writes

if TYPE_CHECKING:
    from jobs.engine import Transaction


@dataclass(frozen=True)
class Turn:
    """The right to hand rows on to one receiver, for the time of a lease."""

    receiver: str
    position: int
    """The last row that the receiver has; 0: none."""
    fence: int


@dataclass(frozen=True)
class Behind:
    """What a receiver does not have yet."""

    rows: int
    oldest_s: float
    """Since the first of them was written; 0 where there is none."""


class AuditForwarding(Records):
    """Whose turn it is, and how far the receivers are."""

    @writes
    def take_turn(self, tx: Transaction, receiver: str, lease_s: float) -> Turn | None:
        """Return the turn for `lease_s` seconds; None while another process has it."""
        table = audit_receivers
        row = {"receiver": receiver, "position": 0, "fence": 0, "updated_at": tx.now}
        tx.connection.execute(tx.insert(table).values(row).on_conflict_do_nothing())
        free = or_(table.c.lease_until.is_(None), table.c.lease_until < tx.now)
        statement = (
            update(table)
            .where(table.c.receiver == receiver, free)
            .values(fence=table.c.fence + 1, lease_until=tx.now + timedelta(seconds=lease_s))
            .returning(table.c.position, table.c.fence)
        )
        taken = tx.connection.execute(statement).one_or_none()
        return None if taken is None else Turn(receiver, taken.position, taken.fence)

    @writes
    def end_turn(self, tx: Transaction, turn: Turn, position: int) -> bool:
        """Note that the receiver has every row up to `position` and give the turn back.

        False: the lease had run out and somebody else has the turn; nothing was noted.
        """
        table = audit_receivers
        mine = (table.c.receiver == turn.receiver) & (table.c.fence == turn.fence)
        values = {"position": position, "lease_until": None, "updated_at": tx.now}
        statement = update(table).where(mine, table.c.position <= position).values(values)
        return tx.connection.execute(statement).rowcount == 1

    @reads
    def audit_behind(self, tx: Transaction, receiver: str) -> Behind:
        """Return how many rows a receiver does not have yet, and how old the first is."""
        at = select(audit_receivers.c.position).where(audit_receivers.c.receiver == receiver)
        position = tx.connection.execute(at).scalar_one_or_none() or 0
        last = tx.connection.execute(select(func.max(audit.c.id))).scalar_one() or 0
        next_at = select(audit.c.at).where(audit.c.id == position + 1)
        oldest = tx.connection.execute(next_at).scalar_one_or_none()
        age_s = 0.0 if oldest is None else max(0.0, (tx.now - oldest).total_seconds())
        return Behind(max(0, last - position), age_s)
