"""How far this host's clock is from the database server's, whose clock leases are measured by."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from jobs.engine import Records, make_engine, reads

if TYPE_CHECKING:
    from jobs.engine import Transaction


def clock_difference_s(url: str) -> float:
    """Return the server's time minus ours, in seconds; about 0 for SQLite, which has no server.

    Half of the answer's way is in it.

    Raises:
        StoreUnavailable: the database does not answer.

    """
    engine = make_engine(url)
    try:
        return _Clock(engine).difference_s()
    finally:
        engine.dispose()


class _Clock(Records):
    @reads
    def difference_s(self, tx: Transaction) -> float:
        tx.connection.exec_driver_sql("SELECT 1")  # the transaction has begun: no such delay below
        before = datetime.now(UTC)
        server = tx.now
        middle = before + (datetime.now(UTC) - before) / 2
        return (server - middle).total_seconds()
