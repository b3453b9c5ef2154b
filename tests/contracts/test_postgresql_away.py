"""A PostgreSQL that cuts connections: said as trouble that may pass, and got over."""

import threading

import pytest
from sqlalchemy import text

from jobs.errors import StoreUnavailable
from jobs.migrate import upgrade
from jobs.store import JobStore

CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"


@pytest.fixture
def server(postgresql_server):
    """A database of its own, so that only its connections are cut."""
    url = postgresql_server.create("away")
    yield url, postgresql_server
    postgresql_server.drop("away")


def cut(operator):
    operator.run(f"{CUT} AND datname = 'away'")


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


@pytest.fixture
def patient(server):
    url, _ = server
    upgrade(url)
    with JobStore(url, patience_s=60.0) as store:
        yield store


def test_a_patient_store_waits_for_a_server_that_is_restarted(patient, postgresql_server, arrivals):
    patient.record_instances(arrivals("1.2"))
    postgresql_server.stop()
    back = threading.Timer(1.0, postgresql_server.start)
    back.start()
    assert patient.study("1.2").n_instances == 3
    back.join()
    assert patient.record_instances(arrivals("1.3")) == 3


def test_what_is_cut_before_the_commit_is_done_again_by_a_patient_store(patient, server):
    _, operator = server
    cuts = [operator]

    def work(tx):
        tx.connection.execute(text("INSERT INTO summaries SELECT '1', '{}' WHERE false"))
        if cuts:
            cut(cuts.pop())
        return tx.connection.execute(text("SELECT count(*) FROM jobs")).scalar_one()

    assert patient._run(work, writes=True) == 0
    assert cuts == []


def test_a_commit_without_an_answer_is_not_done_again(patient, server):
    _, operator = server
    done = []

    def work(tx):
        done.append(tx.connection.execute(text("SELECT 1")).scalar_one())
        cut(operator)

    with pytest.raises(StoreUnavailable):
        patient._run(work, writes=True)
    assert done == [1]
    assert patient._run(
        lambda tx: tx.connection.execute(text("SELECT 1")).scalar_one(), writes=False
    )


def test_a_patient_store_waits_at_its_opening(server, postgresql_server):
    url, _ = server
    upgrade(url)
    postgresql_server.stop()
    back = threading.Timer(1.0, postgresql_server.start)
    back.start()
    with JobStore(url, patience_s=60.0) as store:
        assert store.due() == ()
    back.join()
