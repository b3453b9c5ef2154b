"""How each object's delivery stands, requests for commitment, and destinations that are away."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

TIME = sa.DateTime(timezone=True)
_WORDS = {"pending": "queued", "sent": "sent_only", "stored": "committed", "failed": "refused"}


def upgrade() -> None:
    for column in (
        sa.Column("code", sa.String(64)),
        sa.Column("queued_at", TIME),
        sa.Column("sent_at", TIME),
        sa.Column("next_try_at", TIME),
        sa.Column("lost", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("transaction_uid", sa.String(64)),
    ):
        op.add_column("deliveries", column)
    op.create_index("ix_deliveries_destination_status", "deliveries", ["destination", "status"])
    op.create_index("ix_deliveries_transaction_uid", "deliveries", ["transaction_uid"])
    _tables()
    deliveries = sa.table("deliveries", sa.column("status"), sa.column("queued_at"), sa.column("updated_at"))
    renamed = sa.case(_WORDS, value=deliveries.c.status, else_=deliveries.c.status)
    op.execute(sa.update(deliveries).values(status=renamed, queued_at=deliveries.c.updated_at))


def _tables() -> None:
    op.create_table(
        "commitments",
        sa.Column("transaction_uid", sa.String(64), nullable=False),
        sa.Column("job_id", sa.String(32), nullable=False),
        sa.Column("destination", sa.String(200), nullable=False),
        sa.Column("asked_at", TIME, nullable=False),
        sa.Column("reported_at", TIME),
        sa.PrimaryKeyConstraint("transaction_uid", name="pk_commitments"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_commitments_job_id"),
    )
    op.create_table(
        "destinations",
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failed_since", TIME, nullable=False),
        sa.Column("not_before", TIME),
        sa.Column("code", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_destinations"),
    )
