"""Tables of results on their way to destinations."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table

from jobs.columns import ROW_ID, UID, UtcTime, metadata
from jobs.schema import jobs, results

deliveries = Table(
    "deliveries",
    metadata,
    Column("result_id", ROW_ID, ForeignKey(results.c.id), primary_key=True),
    Column("destination", String(200), primary_key=True),
    Column("status", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("last_status", Integer),
    Column("updated_at", UtcTime, nullable=False),
    Column("code", String(64)),
    Column("queued_at", UtcTime),
    Column("sent_at", UtcTime),
    Column("next_try_at", UtcTime),
    Column("lost", Integer, nullable=False),
    Column("transaction_uid", UID),
    Index(None, "destination", "status"),
    Index(None, "transaction_uid"),
)

# Requests for storage commitment; the report may come days later, by another process.
commitments = Table(
    "commitments",
    metadata,
    Column("transaction_uid", UID, primary_key=True),
    Column("job_id", String(32), ForeignKey(jobs.c.id), nullable=False),
    Column("destination", String(200), nullable=False),
    Column("asked_at", UtcTime, nullable=False),
    Column("reported_at", UtcTime),
)

# Destinations that do not answer, so that all jobs together leave one in peace.
destinations = Table(
    "destinations",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("failed_since", UtcTime, nullable=False),
    Column("not_before", UtcTime),
    Column("code", String(64), nullable=False),
)
