"""The record of work from the files of `jobs.dump`, into an empty database of either kind."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from sqlalchemy import DateTime, MetaData, func, insert, inspect, select, text

from jobs.dump import KEPT_TABLES, dumped_rows
from jobs.errors import StoreNotEmpty
from jobs.migrate import bring_to, changing_schema, refuse_newer
from jobs.schema import metadata

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection, Table

_ROWS_AT_ONCE = 500
_REVISION = "alembic_version"


def load(url: str, folder: Path, schema: str) -> dict[str, int]:
    """Fill a database from a dump of revision `schema`, then bring it to this software's schema.

    All of it is one transaction: afterwards the database has everything, or is as it was. Returns
    how many rows each table got.

    Raises:
        StoreNotEmpty: there are rows in it already.
        SchemaTooNew: newer software made the dump.
        DumpDamaged: a file is not one of a dump.
        StoreUnavailable: the database does not answer.

    """
    refuse_newer(schema, "the backup")
    with changing_schema(url) as connection:
        _remove_empty(connection)
        bring_to(connection, schema)
        there = MetaData()
        there.reflect(connection, only=lambda name, _: name in KEPT_TABLES)
        rows = {table.name: _fill(connection, table, folder) for table in there.sorted_tables}
        bring_to(connection, "head")
        return rows


def require_empty(url: str) -> None:
    """Raise `StoreNotEmpty` if the database has a row, without changing it."""
    with changing_schema(url) as connection:
        _tables(connection)


def _tables(connection: Connection) -> list[Table]:
    """Return our tables that exist; refuse if one has a row."""
    ours = {*metadata.tables, _REVISION} & set(inspect(connection).get_table_names())
    there = MetaData()
    there.reflect(connection, only=sorted(ours))
    for table in there.sorted_tables:
        if table.name == _REVISION:
            continue
        if connection.execute(select(func.count()).select_from(table)).scalar_one():
            raise StoreNotEmpty(
                f"the database has rows in {table.name} already: restore into an empty one, or "
                "remove this one if nothing in it is needed"
            )
    return there.sorted_tables


def _remove_empty(connection: Connection) -> None:
    """Remove the empty schema that `osteon db upgrade` made: a dump may be of an older one."""
    for table in reversed(_tables(connection)):
        table.drop(connection)


def _fill(connection: Connection, table: Table, folder: Path) -> int:
    times = {column.name for column in table.columns if isinstance(column.type, DateTime)}
    naive = connection.dialect.name == "sqlite"
    rows = (_row(row, times, naive=naive) for row in dumped_rows(folder, table.name))
    number = 0
    while part := list(islice(rows, _ROWS_AT_ONCE)):
        connection.execute(insert(table), part)
        number += len(part)
    _continue_numbers(connection, table)
    return number


def _row(row: dict[str, Any], times: set[str], *, naive: bool) -> dict[str, Any]:
    for name in times & row.keys():
        if row[name] is not None:
            at = datetime.fromisoformat(row[name])
            row[name] = at.astimezone(UTC).replace(tzinfo=None) if naive else at
    return row


def _continue_numbers(connection: Connection, table: Table) -> None:
    """Let PostgreSQL's own numbers go on after those given; SQLite's do so by themselves."""
    if connection.dialect.name != "postgresql":
        return
    for column in _numbered(table):
        name = {"table": table.name, "column": column}
        sequence = connection.execute(
            text("SELECT pg_get_serial_sequence(:table, :column)"), name
        ).scalar_one()
        highest = connection.execute(select(func.max(table.c[column]))).scalar_one()
        if sequence and highest:
            connection.execute(
                text("SELECT setval(CAST(:sequence AS regclass), :highest)"),
                {"sequence": sequence, "highest": highest},
            )


def _numbered(table: Table) -> Iterator[str]:
    yield from (c.name for c in table.primary_key.columns if c.type.python_type is int)
