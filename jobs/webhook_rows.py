"""Rows of the tables of webhooks as values."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from jobs.job import EventKind
from jobs.webhook import MessageState, Webhook, WebhookMessage

if TYPE_CHECKING:
    from sqlalchemy import RowMapping


def to_webhook(row: RowMapping) -> Webhook:
    """Read a row of `webhooks`."""
    named = {field.name: row[field.name] for field in fields(Webhook)}
    return Webhook(**named | {"kinds": tuple(EventKind(kind) for kind in row["kinds"])})


def to_message(row: RowMapping) -> WebhookMessage:
    """Read a row of `webhook_messages`."""
    named = {field.name: row[field.name] for field in fields(WebhookMessage)}
    return WebhookMessage(**named | {"state": MessageState(row["state"])})
