"""Part of the store: webhooks, and the log of what they were told."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, or_, select, update

from jobs.engine import Records, reads, writes
from jobs.errors import IllegalMove, UnknownMessage, UnknownWebhook
from jobs.outbox import write_message
from jobs.request_tables import webhook_messages as messages
from jobs.request_tables import webhooks as webhooks_
from jobs.webhook import MessageState
from jobs.webhook_rows import to_message, to_webhook

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import RowMapping

    from jobs.engine import Transaction
    from jobs.job import EventKind
    from jobs.webhook import Webhook, WebhookMessage


class WebhookRecords(Records):
    """Webhooks; who may call and which addresses are allowed is decided elsewhere."""

    @writes
    def add_webhook(
        self, tx: Transaction, url: str, kinds: Sequence[EventKind], description: str = ""
    ) -> Webhook:
        """Begin to tell an address of events of these kinds, from now on."""
        row = {
            "id": uuid.uuid4().hex,
            "url": url,
            "kinds": sorted(kinds),
            "description": description,
            "active": True,
            "generation": 1,
            "created_at": tx.now,
            "updated_at": tx.now,
        }
        statement = insert(webhooks_).values(row).returning(webhooks_)
        return to_webhook(tx.connection.execute(statement).mappings().one())

    @reads
    def webhooks(self, tx: Transaction) -> tuple[Webhook, ...]:
        """Return all of them, the oldest first."""
        query = select(webhooks_).order_by(webhooks_.c.created_at, webhooks_.c.id)
        return tuple(to_webhook(row) for row in tx.connection.execute(query).mappings())

    @reads
    def webhook(self, tx: Transaction, webhook_id: str) -> Webhook:
        """Return one.

        Raises:
            UnknownWebhook: there is none with this id.

        """
        return to_webhook(_row(tx, webhook_id))

    @writes
    def change_webhook(
        self, tx: Transaction, seen: Webhook, changes: Mapping[str, object]
    ) -> Webhook:
        """Change url, kinds, description or active of a webhook, as it was `seen`.

        Raises:
            UnknownWebhook: there is none with this id.
            IllegalMove: it was changed since it was seen.

        """
        _row(tx, seen.id)
        return _changed(tx, seen, changes)

    @writes
    def renew_secret(self, tx: Transaction, webhook_id: str) -> Webhook:
        """Give a webhook the next secret: what is sent from now on is signed by it.

        Raises as `webhook`.
        """
        seen = to_webhook(_row(tx, webhook_id))
        return _changed(tx, seen, {"generation": seen.generation + 1})

    @writes
    def remove_webhook(self, tx: Transaction, webhook_id: str) -> None:
        """Remove a webhook with its log; what was not sent is not sent. Raises as `webhook`."""
        _row(tx, webhook_id)
        tx.connection.execute(delete(messages).where(messages.c.webhook_id == webhook_id))
        tx.connection.execute(delete(webhooks_).where(webhooks_.c.id == webhook_id))

    @writes
    def add_test_message(self, tx: Transaction, webhook_id: str) -> WebhookMessage:
        """Write a message without event, to see whether it arrives. Raises as `webhook`."""
        _row(tx, webhook_id)
        return _message(tx, webhook_id, write_message(tx, webhook_id, None))

    @reads
    def messages(
        self, tx: Transaction, webhook_id: str, limit: int, before: int | None = None
    ) -> tuple[WebhookMessage, ...]:
        """Return the log, the newest first; `before` is the last id of the page before.

        Raises as `webhook`.
        """
        _row(tx, webhook_id, lock=False)
        query = select(messages).where(messages.c.webhook_id == webhook_id)
        if before is not None:
            query = query.where(messages.c.id < before)
        rows = tx.connection.execute(query.order_by(messages.c.id.desc()).limit(limit)).mappings()
        return tuple(to_message(row) for row in rows)

    @writes
    def send_message_again(
        self, tx: Transaction, webhook_id: str, message_id: int
    ) -> WebhookMessage:
        """Make a message due at once, with all its tries: a person's decision.

        Raises:
            UnknownMessage: the webhook has none with this id.
            IllegalMove: it is being sent at this moment.

        """
        _message(tx, webhook_id, message_id)
        free = or_(messages.c.lease_until.is_(None), messages.c.lease_until < tx.now)
        row = {"state": MessageState.PENDING, "attempts": 0, "ended_at": None, "due_at": tx.now}
        statement = update(messages).where(messages.c.id == message_id, free).values(row)
        if tx.connection.execute(statement).rowcount != 1:
            raise IllegalMove(f"message {message_id} is being sent: look at it again")
        return _message(tx, webhook_id, message_id)


def _row(tx: Transaction, webhook_id: str, *, lock: bool = True) -> RowMapping:
    """Find a webhook; what is locked cannot be told of new events until this is committed."""
    query = select(webhooks_).where(webhooks_.c.id == webhook_id)
    query = query.with_for_update() if lock else query
    row = tx.connection.execute(query).mappings().one_or_none()
    if row is None:
        raise UnknownWebhook(f"there is no webhook {webhook_id}")
    return row


def _changed(tx: Transaction, seen: Webhook, changes: Mapping[str, object]) -> Webhook:
    same = (webhooks_.c.id == seen.id) & (webhooks_.c.updated_at == seen.updated_at)
    statement = update(webhooks_).where(same).values({**changes, "updated_at": tx.now})
    row = tx.connection.execute(statement.returning(webhooks_)).mappings().one_or_none()
    if row is None:
        raise IllegalMove(f"webhook {seen.id} changed meanwhile: look at it again")
    return to_webhook(row)


def _message(tx: Transaction, webhook_id: str, message_id: int) -> WebhookMessage:
    mine = (messages.c.webhook_id == webhook_id) & (messages.c.id == message_id)
    row = tx.connection.execute(select(messages).where(mine)).mappings().one_or_none()
    if row is None:
        raise UnknownMessage(f"webhook {webhook_id} has no message {message_id}")
    return to_message(row)
