"""Bring a database to the schema of this software: forward only, safe when many start at once."""

from __future__ import annotations

import functools
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from jobs.engine import make_engine
from jobs.errors import SchemaTooNew, SchemaTooOld, StoreUnavailable
from jobs.passing import is_passing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine

_LOCK = 0x6F7374656F6E  # "osteon": the advisory lock under which a PostgreSQL schema changes


@functools.cache
def head() -> str:
    """Return the revision of the schema that this software needs."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    return str(revision)


def current(url: str) -> str | None:
    """Return the revision of the database's schema; None if it was never set up.

    Raises:
        StoreUnavailable: the database does not answer.

    """
    engine = make_engine(url)
    try:
        return _current(engine)
    finally:
        engine.dispose()


def upgrade(url: str) -> str:
    """Bring the database to `head()` and return that; does nothing if it is there already.

    All steps are one transaction under a lock: a second process waits and then finds nothing to do.

    Raises:
        SchemaTooNew: newer software made the database; it is left as it is.
        StoreUnavailable: the database does not answer.

    """
    with changing_schema(url) as connection:
        bring_to(connection, "head")
    return head()


@contextmanager
def changing_schema(url: str) -> Iterator[Connection]:
    """Yield one transaction in which nobody else changes the schema; all of it happens or nothing.

    Raises as `upgrade`.
    """
    engine = make_engine(url)
    try:
        _current(engine)  # says best what is wrong with the way to the database
        with engine.connect() as connection, connection.begin():
            _lock(connection)
            refuse_newer(revision_of(connection))
            yield connection
    except DBAPIError as error:
        if is_passing(error):
            raise _unavailable(engine, error) from error
        raise
    finally:
        engine.dispose()


def bring_to(connection: Connection, revision: str) -> None:
    """Take the steps to a revision, or to "head", inside a transaction of `changing_schema`."""
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def require_head(engine: Engine) -> None:
    """Refuse a database whose schema is not the one that this software needs.

    Raises:
        SchemaTooNew: newer software made it.
        SchemaTooOld: it was not set up, or by older software.
        StoreUnavailable: it does not answer.

    """
    found = _current(engine)
    if found != head():
        refuse_newer(found)
        state = "was never set up" if found is None else f"is at schema {found}"
        raise SchemaTooOld(
            f"the database {state}, this software needs {head()}: run `osteon db upgrade`"
        )


def _config() -> Config:
    config = Config()
    folder = str(Path(__file__).parent / "migrations")
    config.set_main_option("script_location", folder.replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _current(engine: Engine) -> str | None:
    try:
        with engine.connect() as connection:
            return revision_of(connection.execution_options(writes=False))
    # Wrong name, wrong password, no database: nothing else is asked. A server that is coming up may
    # cut a connection, and pg8000 lets that through as an OSError.
    except (OSError, DBAPIError) as error:
        raise _unavailable(engine, error) from error


def revision_of(connection: Connection) -> str | None:
    """Return the revision of the schema that a connection sees; None if there is none."""
    return MigrationContext.configure(connection).get_current_revision()


def refuse_newer(found: str | None, what: str = "the database") -> None:
    """Raise `SchemaTooNew` for a revision that this software does not know."""
    scripts = ScriptDirectory.from_config(_config()).walk_revisions()
    if found is not None and found not in {script.revision for script in scripts}:
        raise SchemaTooNew(
            f"{what} has schema {found}, which this software does not know ({head()} is its "
            "newest): install the newer software again, or restore a backup made before it"
        )


def _lock(connection: Connection) -> None:
    """Let one process at a time change the schema; SQLite's BEGIN IMMEDIATE has done it already."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def _unavailable(engine: Engine, error: OSError | DBAPIError) -> StoreUnavailable:
    where = engine.url.render_as_string(hide_password=True)
    reason = error.orig if isinstance(error, DBAPIError) else error
    return StoreUnavailable(f"{where} does not answer: {reason}")
