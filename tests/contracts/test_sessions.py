"""A PostgreSQL whose habits are other than ours: the store says what it needs itself."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import create_engine, text

from jobs.migrate import upgrade
from jobs.store import JobStore
from jobs.study import input_digest

HABITS = (
    "SET timezone = 'Asia/Kathmandu'",
    "SET default_transaction_isolation = 'serializable'",
)


@pytest.fixture
def elsewhere(postgresql):
    """A database whose sessions begin in another zone and in another isolation."""
    engine = create_engine(postgresql, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("CREATE DATABASE elsewhere"))
        for habit in HABITS:
            connection.execute(text(f"ALTER DATABASE elsewhere {habit}"))
        yield postgresql.removesuffix("postgres") + "elsewhere"
        connection.execute(text("DROP DATABASE elsewhere WITH (FORCE)"))
    engine.dispose()


def test_times_are_utc_and_isolation_is_ours_whatever_the_server_prefers(elsewhere, arrivals):
    upgrade(elsewhere)
    with JobStore(elsewhere) as store:
        instances = arrivals("1.2")
        store.record_instances(instances)
        assert store.instances("1.2")[0].received_at == instances[0].received_at
        store.open_revision("1.2", input_digest(instances))
        job = store.claim("w", 60)
        now = datetime.now(UTC)
        assert (job.lease_until.utcoffset(), job.updated_at.utcoffset()) == (timedelta(0),) * 2
        assert abs(job.updated_at - now) < timedelta(seconds=30)
        assert abs(job.lease_until - now - timedelta(seconds=60)) < timedelta(seconds=30)
        ask = text("SELECT current_setting('transaction_isolation'), current_setting('timezone')")
        found = store._run(lambda tx: tx.connection.execute(ask).one(), writes=True)
        assert found == ("read committed", "Asia/Kathmandu")
