"""Answers kept for repeated requests, and webhooks with what is to be told them."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "kept_answers",
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("request", sa.String(64), nullable=False),
        sa.Column("status", sa.Integer()),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("until", TIME, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_kept_answers"),
    )
    op.create_index("ix_kept_answers_until", "kept_answers", ["until"])
    op.create_table(
        "webhooks",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("kinds", sa.JSON(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_webhooks"),
    )
    _messages()


def _messages() -> None:
    op.create_table(
        "webhook_messages",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("webhook_id", sa.String(32), nullable=False),
        sa.Column("event_id", ROW_ID),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("lease_until", TIME),
        sa.Column("last_status", sa.Integer()),
        sa.Column("last_code", sa.String(64)),
        sa.Column("ended_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_messages"),
        sa.ForeignKeyConstraint(["webhook_id"], ["webhooks.id"], name="fk_webhook_messages_webhook_id"),
        sa.ForeignKeyConstraint(["event_id"], ["job_events.id"], name="fk_webhook_messages_event_id"),
        sa.UniqueConstraint("webhook_id", "event_id", name="uq_webhook_messages_webhook_id_event_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_webhook_messages_state_due_at", "webhook_messages", ["state", "due_at"])
    op.create_index("ix_webhook_messages_webhook_id_id", "webhook_messages", ["webhook_id", "id"])
