"""What readers write beside a run: append-only."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_SQLITE_REFUSES = (
    """CREATE TRIGGER comments_keep_rows BEFORE UPDATE ON comments
       BEGIN SELECT RAISE(ABORT, 'comments are append-only'); END""",
    """CREATE TRIGGER comments_lose_nothing BEFORE DELETE ON comments
       BEGIN SELECT RAISE(ABORT, 'comments are append-only'); END""",
)
_POSTGRESQL_REFUSES = (
    """CREATE OR REPLACE FUNCTION comments_are_append_only() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN RAISE EXCEPTION 'comments are append-only'; END $$""",
    """CREATE TRIGGER comments_keep_rows BEFORE UPDATE OR DELETE ON comments
       FOR EACH ROW EXECUTE FUNCTION comments_are_append_only()""",
    """CREATE TRIGGER comments_lose_nothing BEFORE TRUNCATE ON comments
       FOR EACH STATEMENT EXECUTE FUNCTION comments_are_append_only()""",
)


def upgrade() -> None:
    op.create_table(
        "comments",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("study_uid", sa.String(64), nullable=False),
        sa.Column("job_id", sa.String(32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("author", sa.String(200), nullable=False),
        sa.Column("assessment", sa.String(100), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_comments"),
        sa.ForeignKeyConstraint(["study_uid"], ["studies.uid"], name="fk_comments_study_uid"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_comments_job_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_comments_study_uid", "comments", ["study_uid"])
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in _SQLITE_REFUSES if on_sqlite else _POSTGRESQL_REFUSES:
        op.execute(statement)
