"""What really stands in a table."""

from sqlalchemy import select

from jobs.engine import Records, reads


class _Rows(Records):
    @reads
    def all(self, tx, table):
        return [dict(row) for row in tx.connection.execute(select(table)).mappings()]


def rows_of(store, table):
    """Return the rows of a table of `jobs`."""
    return _Rows(store._engine).all(table)
