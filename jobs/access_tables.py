"""The tables of who may come in and of what they did; they belong to `jobs.columns.metadata`."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table

from jobs.columns import DIGEST, ROW_ID, UID, UtcTime, metadata

# Of a token the store has a SHA-256 digest: nobody who reads the database can sign in with it.
api_tokens = Table(
    "api_tokens",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("name", String(100), nullable=False),
    Column("role", String(16), nullable=False),
    Column("digest", DIGEST, nullable=False, unique=True),
    Column("created_at", UtcTime, nullable=False),
    Column("created_by", String(200), nullable=False),
    Column("expires_at", UtcTime),
    Column("used_at", UtcTime),  # coarse
    Column("revoked_at", UtcTime),
)

# Who is signed in at a browser; the digest is of what the cookie holds.
sessions = Table(
    "sessions",
    metadata,
    Column("digest", DIGEST, primary_key=True),
    Column("name", String(200), nullable=False),
    Column("role", String(16), nullable=False),
    Column("token_id", String(16), ForeignKey(api_tokens.c.id)),  # what one signed in with
    Column("created_at", UtcTime, nullable=False),
    Column("seen_at", UtcTime, nullable=False),  # coarse
    Column("ends_at", UtcTime, nullable=False),
)

# Append-only: triggers of the database refuse every other change. Each row's digest covers the one
# before, so a row that was changed, left out or put in between is found.
audit = Table(
    "audit",
    metadata,
    Column("id", ROW_ID, primary_key=True, autoincrement=False),
    Column("at", UtcTime, nullable=False),
    Column("event", String(40), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("actor", String(200), nullable=False),
    Column("role", String(16), nullable=False),
    Column("address", String(100), nullable=False),
    Column("study_uid", UID),
    Column("job_id", String(32)),
    Column("detail", String(200), nullable=False),
    Column("previous", DIGEST, nullable=False),
    Column("digest", DIGEST, nullable=False),
    Index(None, "study_uid"),
)

# How far the audit was handed on to each receiver outside, and who is handing on.
audit_receivers = Table(
    "audit_receivers",
    metadata,
    Column("receiver", String(300), primary_key=True),  # host:port
    Column("position", ROW_ID, nullable=False),  # the last row that it has
    Column("fence", Integer, nullable=False),
    Column("lease_until", UtcTime),
    Column("updated_at", UtcTime, nullable=False),
)
