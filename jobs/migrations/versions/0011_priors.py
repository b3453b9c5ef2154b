"""What an archive was asked for, and the earlier studies that are fetched from it."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "prior_searches",
        sa.Column("study_uid", sa.String(64), nullable=False),
        sa.Column("job_id", sa.String(32), nullable=False),
        sa.Column("wait_until", TIME, nullable=False),
        sa.Column("code", sa.String(64)),
        sa.Column("left_out", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("study_uid", name="pk_prior_searches"),
        sa.ForeignKeyConstraint(["study_uid"], ["studies.uid"], name="fk_prior_searches_study_uid"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_prior_searches_job_id"),
    )
    op.create_table(
        "priors",
        sa.Column("study_uid", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("taken_on", sa.String(8), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("owner", sa.String(200)),
        sa.Column("lease_until", TIME),
        sa.Column("not_before", TIME),
        sa.Column("code", sa.String(64)),
        sa.Column("n_held", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("study_uid", name="pk_priors"),
    )
    op.create_index("ix_priors_state_priority", "priors", ["state", "priority"])
    op.create_table(
        "prior_wishes",
        sa.Column("study_uid", sa.String(64), nullable=False),
        sa.Column("prior_uid", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("study_uid", "prior_uid", name="pk_prior_wishes"),
        sa.ForeignKeyConstraint(["study_uid"], ["studies.uid"], name="fk_prior_wishes_study_uid"),
        sa.ForeignKeyConstraint(
            ["prior_uid"], ["priors.study_uid"], name="fk_prior_wishes_prior_uid"
        ),
    )
    op.create_index("ix_prior_wishes_prior_uid", "prior_wishes", ["prior_uid"])
