"""Numbered steps of the schema, run by Alembic through `jobs.migrate`."""
