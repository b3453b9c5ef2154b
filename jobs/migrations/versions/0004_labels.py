"""What names a study to people, and what a list of studies is sorted and filtered by."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "study_labels",
        sa.Column("study_uid", sa.String(64), nullable=False),
        sa.Column("patient_name", sa.Text(), nullable=False),
        sa.Column("patient_id", sa.Text(), nullable=False),
        sa.Column("accession_number", sa.Text(), nullable=False),
        sa.Column("study_date", sa.String(8), nullable=False),
        sa.Column("scanner", sa.Text(), nullable=False),
        sa.Column("sought", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("study_uid", name="pk_study_labels"),
        sa.ForeignKeyConstraint(["study_uid"], ["studies.uid"], name="fk_study_labels_study_uid"),
    )
    op.create_index("ix_study_labels_study_date", "study_labels", ["study_date"])
    headlines = op.create_table(
        "headlines",
        sa.Column("job_id", sa.String(32), nullable=False),
        sa.Column("tdv_ml", sa.Float()),
        sa.Column("partial", sa.Boolean(), nullable=False),
        sa.Column("warned", sa.Boolean(), nullable=False),
        sa.Column("beyond_limit", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("job_id", name="pk_headlines"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_headlines_job_id"),
    )
    _fill(headlines)


def _fill(headlines: sa.Table) -> None:
    """Take the headlines of the summaries that are there; none of these told of follow-up."""
    summaries = sa.table("summaries", sa.column("job_id", sa.String), sa.column("document", sa.JSON))
    connection = op.get_bind()
    for job_id, document in connection.execute(sa.select(summaries)).all():
        notes = document.get("quality") or ()
        row = {
            "job_id": job_id,
            "tdv_ml": document.get("tdv_ml"),
            "partial": document.get("coverage_status") == "partial",
            "warned": any(note.get("severity") == "warning" for note in notes),
            "beyond_limit": False,
        }
        connection.execute(sa.insert(headlines).values(row))
