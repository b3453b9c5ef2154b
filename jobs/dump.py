"""The record of work as files, read in one moment while everybody goes on writing.

A table is `<table>.jsonl.gz`: a JSON object a row, times as UTC in ISO 8601. The files say nothing
of SQLite or PostgreSQL, so that what one wrote the other can read (docs/decisions/0013).
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import MetaData, select

from jobs import prior_tables  # noqa: F401 - its tables are in `metadata` then
from jobs.access_tables import sessions
from jobs.delivery_tables import destinations
from jobs.engine import Records, make_engine, reads
from jobs.errors import DumpDamaged, SchemaTooOld
from jobs.migrate import refuse_newer, revision_of
from jobs.request_tables import kept_answers
from jobs.schema import metadata, receptions, workers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Table

    from jobs.engine import Transaction

_SUFFIX = ".jsonl.gz"
_ROWS_AT_ONCE = 1000
# What nodes receive, who works, which destination is away, who is signed in, what a repeated
# request would get: not kept.
_OF_THE_MOMENT = (receptions, workers, destinations, sessions, kept_answers)
KEPT_TABLES = tuple(t.name for t in metadata.sorted_tables if t not in _OF_THE_MOMENT)


@dataclass(frozen=True)
class Dump:
    """What was written: the schema's revision, and how many rows each table has."""

    schema: str
    rows: dict[str, int]


def dump(url: str, folder: Path) -> Dump:
    """Write every table into the empty `folder`, as one transaction sees them.

    A schema older than this software's is written as it is.

    Raises:
        SchemaTooNew: newer software made the database.
        SchemaTooOld: the database was never set up.
        StoreUnavailable: it does not answer.
        OSError: the folder cannot be written.

    """
    engine = make_engine(url)
    try:
        return _Tables(engine).write(folder)
    finally:
        engine.dispose()


def dumped_rows(folder: Path, table: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of one table as they stand in its file; none where there is no file.

    Raises:
        DumpDamaged: the file is not one of `dump`.

    """
    path = folder / f"{table}{_SUFFIX}"
    if not path.exists():
        return
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line)
    except (EOFError, gzip.BadGzipFile, ValueError) as error:
        raise DumpDamaged(f"{path.name} is not what a backup wrote; take another one") from error


class _Tables(Records):
    @reads
    def write(self, tx: Transaction, folder: Path) -> Dump:
        if tx.connection.dialect.name == "postgresql":  # SQLite's readers see one moment anyway
            tx.connection.exec_driver_sql(
                "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"
            )
        schema = revision_of(tx.connection)
        if schema is None:
            raise SchemaTooOld("the database was never set up: there is nothing to back up")
        refuse_newer(schema)
        there = MetaData()
        there.reflect(tx.connection, only=lambda name, _: name in KEPT_TABLES)
        return Dump(schema, {t.name: _write(tx, t, folder) for t in there.sorted_tables})


def _write(tx: Transaction, table: Table, folder: Path) -> int:
    rows = 0
    query = select(table).order_by(*table.primary_key.columns)
    found = tx.connection.execute(query, execution_options={"yield_per": _ROWS_AT_ONCE})
    with gzip.open(folder / f"{table.name}{_SUFFIX}", "wt", 6, encoding="utf-8") as lines:
        for row in found.mappings():
            lines.write(json.dumps({name: _plain(value) for name, value in row.items()}) + "\n")
            rows += 1
    return rows


def _plain(value: object) -> object:
    if not isinstance(value, datetime):
        return value
    aware = value if value.tzinfo else value.replace(tzinfo=UTC)  # SQLite's times are UTC
    return aware.astimezone(UTC).isoformat()
