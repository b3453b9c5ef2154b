"""Tables of what programs ask for: answers kept for repeated requests, and webhooks."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from jobs.columns import DIGEST, ROW_ID, UtcTime, metadata

# What was answered to a request that may come again (`Idempotency-Key`); rows expire.
kept_answers = Table(
    "kept_answers",
    metadata,
    Column("key", DIGEST, primary_key=True),  # of who asked and the key that was given
    Column("request", DIGEST, nullable=False),
    Column("status", Integer),  # empty: somebody is answering it now
    Column("location", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("until", UtcTime, nullable=False),
    Index(None, "until"),
)

webhooks = Table(
    "webhooks",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("url", Text, nullable=False),
    Column("kinds", JSON, nullable=False),  # of `EventKind`
    Column("description", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("generation", Integer, nullable=False),  # of its secret, which is derived from it
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
)

# Written in the transaction of the event itself, so that none is lost between the two.
webhook_messages = Table(
    "webhook_messages",
    metadata,
    Column("id", ROW_ID, primary_key=True),
    Column("webhook_id", String(32), ForeignKey(webhooks.c.id), nullable=False),
    Column("event_id", ROW_ID, ForeignKey("job_events.id")),  # empty: a test
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("fence", Integer, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("due_at", UtcTime, nullable=False),
    Column("lease_until", UtcTime),
    Column("last_status", Integer),
    Column("last_code", String(64)),
    Column("ended_at", UtcTime),
    UniqueConstraint("webhook_id", "event_id"),
    Index(None, "state", "due_at"),
    Index(None, "webhook_id", "id"),
    sqlite_autoincrement=True,  # a number is never given twice
)
