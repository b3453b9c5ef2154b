"""Which studies are of one patient, by keyed digests."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "examinations",
        sa.Column("study_uid", sa.String(64), nullable=False),
        sa.Column("patient_key", sa.String(64), nullable=False),
        sa.Column("birth_key", sa.String(64), nullable=False),
        sa.Column("sex_key", sa.String(64), nullable=False),
        sa.Column("taken_at", sa.String(26), nullable=False),
        sa.PrimaryKeyConstraint("study_uid", name="pk_examinations"),
        sa.ForeignKeyConstraint(["study_uid"], ["studies.uid"], name="fk_examinations_study_uid"),
    )
    op.create_index("ix_examinations_patient_key", "examinations", ["patient_key"])
