"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

UID = sa.String(64)
DIGEST = sa.String(64)
JOB_ID = sa.String(32)
TIME = sa.DateTime(timezone=True)
ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _studies()
    _jobs()
    _history()
    _results()


def _studies() -> None:
    op.create_table(
        "studies",
        sa.Column("uid", UID, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("n_instances", sa.Integer, nullable=False),
        sa.Column("n_series", sa.Integer, nullable=False),
        sa.Column("first_received_at", TIME, nullable=False),
        sa.Column("last_received_at", TIME, nullable=False),
        sa.Column("closed_at", TIME),
        sa.PrimaryKeyConstraint("uid", name="pk_studies"),
    )
    op.create_index("ix_studies_last_received_at_uid", "studies", ["last_received_at", "uid"])
    op.create_table(
        "instances",
        sa.Column("sop_instance_uid", UID, nullable=False),
        sa.Column("study_uid", UID, nullable=False),
        sa.Column("series_uid", UID, nullable=False),
        sa.Column("sop_class_uid", UID, nullable=False),
        sa.Column("transfer_syntax_uid", UID, nullable=False),
        sa.Column("sha256", DIGEST, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("received_at", TIME, nullable=False),
        sa.Column("revision", sa.Integer),
        sa.PrimaryKeyConstraint("sop_instance_uid", name="pk_instances"),
        sa.ForeignKeyConstraint(["study_uid"], ["studies.uid"], name="fk_instances_study_uid"),
    )
    op.create_index("ix_instances_study_uid_series_uid", "instances", ["study_uid", "series_uid"])
    op.create_index("ix_instances_study_uid_revision", "instances", ["study_uid", "revision"])


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", JOB_ID, nullable=False),
        sa.Column("study_uid", UID, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("input_digest", DIGEST, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("stage", sa.String(16)),
        sa.Column("progress", sa.Float, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("max_attempts", sa.Integer, nullable=False),
        sa.Column("fence", sa.Integer, nullable=False),
        sa.Column("lease_owner", sa.String(200)),
        sa.Column("lease_until", TIME),
        sa.Column("not_before", TIME),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("failure_code", sa.String(64)),
        sa.Column("failure_message", sa.Text),
        sa.Column("failure_stage", sa.String(16)),
        sa.Column("failure_retryable", sa.Boolean),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
        sa.ForeignKeyConstraint(["study_uid"], ["studies.uid"], name="fk_jobs_study_uid"),
        sa.UniqueConstraint("study_uid", "revision", name="uq_jobs_study_uid_revision"),
        sa.UniqueConstraint("study_uid", "input_digest", name="uq_jobs_study_uid_input_digest"),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'delivered', 'rejected', 'failed', 'held')",
            name="ck_jobs_state",
        ),
    )
    op.create_index("ix_jobs_state_created_at", "jobs", ["state", "created_at"])
    op.create_index("ix_jobs_created_at", "jobs", ["created_at"])


def _history() -> None:
    op.create_table(
        "job_events",
        sa.Column("id", ROW_ID, primary_key=True),
        sa.Column("job_id", JOB_ID, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("stage", sa.String(16)),
        sa.Column("data", sa.JSON, nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_job_events_job_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_job_events_job_id_id", "job_events", ["job_id", "id"])
    op.create_table(
        "stage_times",
        sa.Column("job_id", JOB_ID, nullable=False),
        sa.Column("stage", sa.String(16), nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("job_id", "stage", name="pk_stage_times"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_stage_times_job_id"),
    )
    op.create_table(
        "summaries",
        sa.Column("job_id", JOB_ID, nullable=False),
        sa.Column("document", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("job_id", name="pk_summaries"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_summaries_job_id"),
    )


def _results() -> None:
    op.create_table(
        "results",
        sa.Column("id", ROW_ID, primary_key=True),
        sa.Column("job_id", JOB_ID, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("media_type", sa.String(100), nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("sha256", DIGEST, nullable=False),
        sa.Column("sop_class_uid", UID),
        sa.Column("sop_instance_uid", UID),
        sa.Column("series_uid", UID),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_results_job_id"),
        sa.UniqueConstraint("sop_instance_uid", name="uq_results_sop_instance_uid"),
        sa.UniqueConstraint("job_id", "name", name="uq_results_job_id_name"),
    )
    op.create_table(
        "deliveries",
        sa.Column("result_id", ROW_ID, nullable=False),
        sa.Column("destination", sa.String(200), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("last_status", sa.Integer),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("result_id", "destination", name="pk_deliveries"),
        sa.ForeignKeyConstraint(["result_id"], ["results.id"], name="fk_deliveries_result_id"),
    )
