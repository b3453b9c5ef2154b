"""Part of the store: messages to webhooks, from the event to the answer.

A message is written in the transaction of its event and leaves the store only when it was answered
or given up. Who sends one holds a lease on it, so that many processes may send; one that dies
meanwhile leaves a message that is sent again: at least once, with the same id.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import and_, delete, insert, or_, select, update

from jobs.engine import Records, reads, writes
from jobs.request_tables import webhook_messages as messages
from jobs.request_tables import webhooks
from jobs.rows import to_event
from jobs.schema import job_events
from jobs.webhook import ANNOUNCED, Dispatch, MessageState
from jobs.webhook_rows import to_message, to_webhook

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement

    from jobs.engine import Transaction
    from jobs.job import EventKind

_OTHERS_WAIT_S = 60.0


def announce(tx: Transaction, event_id: int, kind: EventKind) -> None:
    """Write a message for every webhook that asks for events of this kind."""
    if kind not in ANNOUNCED:
        return
    # Locked, so that none of them is removed before the messages that refer to it are committed.
    query = select(webhooks.c.id, webhooks.c.kinds).where(webhooks.c.active)
    for row in tx.connection.execute(query.with_for_update(read=True, key_share=True)).all():
        if kind in row.kinds:
            write_message(tx, row.id, event_id)


def write_message(tx: Transaction, webhook_id: str, event_id: int | None) -> int:
    """Write one message, due at once; return its id."""
    row = {
        "webhook_id": webhook_id,
        "event_id": event_id,
        "state": MessageState.PENDING,
        "attempts": 0,
        "fence": 0,
        "created_at": tx.now,
        "due_at": tx.now,
    }
    statement = insert(messages).values(row).returning(messages.c.id)
    message_id: int = tx.connection.execute(statement).scalar_one()
    return message_id


class WebhookOutbox(Records):
    """What the sender asks and tells."""

    @reads
    def message_is_due(self, tx: Transaction) -> bool:
        """Tell whether `take_message` would find one; nothing is written or locked."""
        query = select(messages.c.id).where(_due(tx)).limit(1)
        return tx.connection.execute(query).one_or_none() is not None

    @writes
    def take_message(self, tx: Transaction, lease_s: float) -> Dispatch | None:
        """Take the message that is due for longest, for `lease_s` seconds; None if none is."""
        first = select(messages.c.id).where(_due(tx)).order_by(messages.c.due_at, messages.c.id)
        chosen = first.limit(1).with_for_update(skip_locked=True).scalar_subquery()
        statement = (
            update(messages)
            .where(messages.c.id == chosen, _due(tx))
            .values(attempts=messages.c.attempts + 1, fence=messages.c.fence + 1)
            .values(lease_until=tx.now + timedelta(seconds=lease_s))
            .returning(messages)
        )
        row = tx.connection.execute(statement).mappings().one_or_none()
        if row is None:
            return None
        hook = select(webhooks).where(webhooks.c.id == row["webhook_id"])
        told = select(job_events).where(job_events.c.id == row["event_id"])
        event = tx.connection.execute(told).mappings().one_or_none()
        return Dispatch(
            to_message(row),
            row["fence"],
            to_webhook(tx.connection.execute(hook).mappings().one()),
            None if event is None else to_event(event),
        )

    @writes
    def message_sent(self, tx: Transaction, dispatch: Dispatch, status: int) -> None:
        """Note that the receiver took the message (HTTP `status`)."""
        _note(tx, dispatch, (status, None), state=MessageState.SENT, ended_at=tx.now)

    @writes
    def message_given_up(
        self, tx: Transaction, dispatch: Dispatch, status: int | None, code: str
    ) -> None:
        """Note that the last try failed and none follows."""
        _note(tx, dispatch, (status, code), state=MessageState.GIVEN_UP, ended_at=tx.now)

    @writes
    def message_not_sent(
        self, tx: Transaction, dispatch: Dispatch, status: int | None, code: str, again_s: float
    ) -> None:
        """Note a try that failed; the next one is due in `again_s` seconds.

        Other messages to the same address wait too, a minute at most: it is most likely away.
        """
        again = tx.now + timedelta(seconds=again_s)
        _note(tx, dispatch, (status, code), due_at=again)
        soon = tx.now + timedelta(seconds=min(again_s, _OTHERS_WAIT_S))
        others = messages.c.webhook_id == dispatch.webhook.id
        statement = update(messages).where(others, _waiting(tx), messages.c.due_at < soon)
        tx.connection.execute(statement.values(due_at=soon))

    @writes
    def prune_messages(self, tx: Transaction, before: datetime) -> int:
        """Remove messages that ended before this moment; return how many."""
        ended = messages.c.ended_at < before
        return tx.connection.execute(delete(messages).where(ended)).rowcount


def _waiting(tx: Transaction) -> ColumnElement[bool]:
    free = or_(messages.c.lease_until.is_(None), messages.c.lease_until < tx.now)
    return and_(messages.c.state == MessageState.PENDING, free)


def _due(tx: Transaction) -> ColumnElement[bool]:
    active = messages.c.webhook_id.in_(select(webhooks.c.id).where(webhooks.c.active))
    return and_(_waiting(tx), messages.c.due_at <= tx.now, active)


def _note(
    tx: Transaction, dispatch: Dispatch, outcome: tuple[int | None, str | None], **more: object
) -> None:
    """Write what became of a try, unless somebody else took the message meanwhile."""
    mine = (messages.c.id == dispatch.message.id) & (messages.c.fence == dispatch.fence)
    status, code = outcome
    row = {"last_status": status, "last_code": code, "lease_until": None}
    tx.connection.execute(update(messages).where(mine).values(row | more))
