"""Alembic runs this file; the connection, its transaction and its lock come from jobs.migrate."""

from __future__ import annotations

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    transactional_ddl=True,  # both databases can; Alembic assumes that SQLite cannot
)
with context.begin_transaction():
    context.run_migrations()
