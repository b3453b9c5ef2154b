"""The database: how it is opened, how a transaction runs, whose clock counts."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, update_wrapper
from inspect import signature
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

import pg8000
from sqlalchemy import create_engine, event, func, make_url, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, DisconnectionError

from jobs.errors import JobsError, StoreUnavailable
from jobs.fault_points import fault
from jobs.passing import is_passing, is_safe_to_repeat

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import URL, Connection, Engine, Table
    from sqlalchemy.engine.interfaces import DBAPIConnection

    Clock = Callable[[], datetime]

_P = ParamSpec("_P")
_R = TypeVar("_R")
_S = TypeVar("_S", bound="Records")

_SQLITE_PRAGMAS = (
    "busy_timeout = 30000",  # first: the switch to WAL may have to wait already
    "journal_mode = WAL",
    "synchronous = FULL",  # NORMAL may lose the last commits at a power cut
    "foreign_keys = ON",
)
_POSTGRES_SETTINGS = (
    "statement_timeout = '30s'",
    "idle_in_transaction_session_timeout = '60s'",
    "synchronous_commit = 'on'",
)
_TRIES = 5


def make_engine(url: str) -> Engine:
    """Open a database by URL: `sqlite:////path/file.db` or `postgresql+pg8000://...`.

    Raises:
        JobsError: the URL is of another database, or of SQLite in memory.

    """
    parsed = make_url(url)
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+pg8000")
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed)
    if parsed.get_backend_name() == "postgresql":
        return _postgresql(parsed)
    raise JobsError(f"no support for {parsed.get_backend_name()}: use sqlite or postgresql+pg8000")


def _sqlite(url: URL) -> Engine:
    if not url.database or url.database == ":memory:":
        raise JobsError("SQLite needs a file: several processes share the record of work")
    Path(url.database).absolute().parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": 30})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: DBAPIConnection, _record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    cursor = connection.cursor()
    for pragma in _SQLITE_PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A plain BEGIN that turns into a write fails at once with SQLITE_BUSY, whatever the timeout.
    writes = connection.get_execution_options().get("writes", True)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _postgresql(url: URL) -> Engine:
    # The socket's timeout is longer than the statement's: it is for a server that vanished.
    # What is locked and in which order is written for READ COMMITTED, whatever the server prefers.
    engine = create_engine(url, connect_args={"timeout": 60}, isolation_level="READ COMMITTED")
    event.listen(engine, "connect", _prepare_postgresql)
    event.listen(engine, "checkout", _try_postgresql)
    return engine


def _prepare_postgresql(connection: DBAPIConnection, _record: object) -> None:
    cursor = connection.cursor()
    for setting in _POSTGRES_SETTINGS:
        cursor.execute(f"SET {setting}")
    cursor.close()
    connection.commit()


def _try_postgresql(connection: DBAPIConnection, _record: object, _proxy: object) -> None:
    """Replace a connection that was cut while it lay in the pool.

    SQLAlchemy's pool_pre_ping does this for drivers that say so by their own errors; pg8000 1.31.6
    lets a ConnectionResetError through, and its 57P01 is not taken for a disconnection.
    """
    try:
        cursor = connection.cursor()
        cursor.execute("SELECT 1")
        cursor.close()
        connection.rollback()
    except (OSError, pg8000.Error) as error:
        raise DisconnectionError(str(error)) from error


@dataclass
class Transaction:
    """One transaction and the time at which it happens."""

    connection: Connection
    clock: Clock | None

    @cached_property
    def now(self) -> datetime:
        """UTC: the server's clock in PostgreSQL, this host's in SQLite, or the test's."""
        if self.clock is not None:
            return self.clock()
        if self.connection.dialect.name == "sqlite":
            return datetime.now(UTC)
        at: datetime = self.connection.execute(select(func.clock_timestamp())).scalar_one()
        return at.astimezone(UTC)

    def insert(self, table: Table) -> postgresql.Insert | sqlite.Insert:
        """Return an INSERT that knows ON CONFLICT in the dialect at hand."""
        if self.connection.dialect.name == "sqlite":
            return sqlite.insert(table)
        return postgresql.insert(table)


class Records:
    """Part of the store: methods marked `reads` or `writes` run in a transaction of their own."""

    def __init__(self, engine: Engine, clock: Clock | None = None, patience_s: float = 0.0) -> None:
        """Use an engine from `make_engine`; `clock` replaces the database's in tests.

        With `patience_s` a method waits so long for a database that is away, unless its commit may
        have happened already. What it is given must be readable more than once then: no generator.
        """
        self._engine = engine
        self._clock = clock
        self._patience_s = patience_s

    def _run(self, work: Callable[[Transaction], _R], *, writes: bool) -> _R:
        deadline = time.monotonic() + self._patience_s
        for tried in count(1):
            attempt = _Attempt()
            try:
                return self._once(work, attempt, writes=writes)
            except (OSError, DBAPIError) as error:  # OSError: the driver's; see _try_postgresql
                if is_safe_to_repeat(error) and tried < _TRIES:
                    time.sleep(0.01 * tried)
                    continue
                if isinstance(error, DBAPIError) and not is_passing(error):
                    raise
                if attempt.commits or time.monotonic() >= deadline:
                    reason = error.orig if isinstance(error, DBAPIError) else error
                    raise StoreUnavailable(f"the database does not answer: {reason}") from error
                time.sleep(min(1.0, 0.1 * tried))
        raise AssertionError  # count does not end

    def _once(self, work: Callable[[Transaction], _R], attempt: _Attempt, *, writes: bool) -> _R:
        with self._engine.connect() as connection:
            connection.execution_options(writes=writes)
            with connection.begin():
                found = work(Transaction(connection, self._clock))
                attempt.commits = writes
            return found


@dataclass
class _Attempt:
    """How far one try came."""

    commits: bool = False
    """From here on nobody knows whether it was written, until the server says so."""


def writes(
    method: Callable[Concatenate[_S, Transaction, _P], _R],
) -> Callable[Concatenate[_S, _P], _R]:
    """Give the method a transaction as its first argument; commit when it returns."""
    return _in_transaction(method, writes=True)


def reads(
    method: Callable[Concatenate[_S, Transaction, _P], _R],
) -> Callable[Concatenate[_S, _P], _R]:
    """Give the method a transaction as its first argument: one consistent view, nothing written."""
    return _in_transaction(method, writes=False)


def _in_transaction(
    method: Callable[Concatenate[_S, Transaction, _P], _R], *, writes: bool
) -> Callable[Concatenate[_S, _P], _R]:
    written, committed = f"{method.__name__}.written", f"{method.__name__}.committed"

    def run(self: _S, /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        def work(tx: Transaction) -> _R:
            found = method(self, tx, *args, **kwargs)
            if writes:
                fault(written)
            return found

        done = self._run(work, writes=writes)
        if writes:
            fault(committed)
        return done

    update_wrapper(run, method)
    given = signature(method)
    visible = [p for p in given.parameters.values() if p.name != "tx"]
    run.__signature__ = given.replace(parameters=visible)  # type: ignore[attr-defined]
    return run
