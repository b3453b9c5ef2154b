"""A PostgreSQL that cuts connections: said as trouble that may pass, and got over."""

import pytest
from sqlalchemy import create_engine, text

from jobs.errors import StoreUnavailable
from jobs.migrate import upgrade
from jobs.store import JobStore

CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"


@pytest.fixture
def server(postgresql):
    """A database of its own, so that only its connections are cut."""
    engine = create_engine(postgresql, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("CREATE DATABASE away"))
        yield postgresql.removesuffix("postgres") + "away", connection
        connection.execute(text("DROP DATABASE away WITH (FORCE)"))
    engine.dispose()


def cut(connection):
    connection.execute(text(f"{CUT} AND datname = 'away'"))


def test_a_connection_cut_between_two_calls_is_replaced(server, arrivals):
    url, operator = server
    upgrade(url)
    with JobStore(url) as store:
        store.record_instances(arrivals("1.2"))
        cut(operator)
        assert store.study("1.2").n_instances == 3


def test_a_connection_cut_in_a_transaction_writes_nothing_and_says_so(server, arrivals):
    url, operator = server
    upgrade(url)
    with JobStore(url) as store:

        def group():
            yield from arrivals("1.2")
            cut(operator)

        with pytest.raises(StoreUnavailable):
            store.record_instances(group())
        assert store.studies() == ()
        assert store.record_instances(arrivals("1.2")) == 3


def test_commits_reach_the_disk(server):
    url, _ = server
    upgrade(url)
    with JobStore(url) as store:
        ask = text(
            "SELECT current_setting('synchronous_commit'), current_setting('statement_timeout')"
        )
        assert store._run(lambda tx: tx.connection.execute(ask).one(), writes=False) == (
            "on",
            "30s",
        )
