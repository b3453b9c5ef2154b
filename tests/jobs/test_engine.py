"""How SQLite is opened, whose clock counts, and which databases are refused."""

import inspect
import os
import sqlite3
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError, StatementError

from jobs.engine import make_engine
from jobs.errors import JobsError, StoreUnavailable
from jobs.migrate import upgrade
from jobs.store import JobStore
from jobs.study import Instance

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def instance(received_at):
    return Instance("1.2.3", "1.2", "1.4", "1.5", "1.6", "0" * 64, 1, "a", received_at)


def run(url, statement):
    engine = make_engine(url)
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "new folder" / "osteon 100%.sqlite"


@pytest.fixture
def url(path):
    where = f"sqlite:///{path}"
    upgrade(where)
    return where


def test_sqlite_keeps_every_commit_and_waits_for_its_turn(url):
    engine = make_engine(url)
    with engine.connect() as connection:
        ask = {"journal_mode": "wal", "synchronous": 2, "busy_timeout": 30000, "foreign_keys": 1}
        found = {name: connection.execute(text(f"PRAGMA {name}")).scalar_one() for name in ask}
    engine.dispose()
    assert found == ask


def test_a_write_takes_its_turn_before_it_reads(url, path):
    """While one transaction is open for writing, another cannot begin: no lock to upgrade later."""
    engine = make_engine(url)
    other = sqlite3.connect(path, timeout=0, isolation_level=None)
    with engine.connect() as connection, connection.begin():
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        other.execute("SELECT count(*) FROM jobs").fetchone()  # readers go on
    other.close()
    engine.dispose()


def test_reading_does_not_wait_for_a_writer(url, path):
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    with JobStore(url) as store:
        assert store.studies() == ()
    writer.execute("ROLLBACK")
    writer.close()


def test_a_writer_waits_for_another(url, path):
    writer = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    writer.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(0.3, writer.execute, ("ROLLBACK",))
    timer.start()
    with JobStore(url) as store:
        assert store.record_instances([instance(NOW)]) == 1
    timer.join()
    writer.close()


def test_times_are_kept_in_utc_whatever_zone_they_came_in(url):
    east = NOW.astimezone(timezone(timedelta(hours=5)))
    with JobStore(url) as store:
        store.record_instances([instance(east)])
        (kept,) = store.instances("1.2")
    assert kept.received_at == NOW
    assert kept.received_at.utcoffset() == timedelta(0)


def test_a_time_without_zone_is_refused(url):
    with JobStore(url) as store, pytest.raises(StatementError, match="no time zone"):
        store.record_instances([instance(NOW.replace(tzinfo=None))])


def test_memory_and_other_databases_are_refused():
    for where in ("sqlite://", "sqlite:///:memory:", "mysql://localhost/osteon"):
        with pytest.raises(JobsError, match=r"file|sqlite or postgresql"):
            make_engine(where)


def test_a_plain_postgresql_url_means_the_driver_that_is_installed():
    engine = make_engine("postgresql://osteon@localhost/osteon")
    assert engine.url.drivername == "postgresql+pg8000"
    engine.dispose()


def test_a_full_disk_is_trouble_that_may_pass(url):
    with JobStore(url) as store:
        engine = store._engine
        with engine.connect() as connection:  # the pool has this one connection and gives it again
            pages = connection.execute(text("PRAGMA page_count")).scalar_one()
            connection.execute(text(f"PRAGMA max_page_count = {pages}"))
        many = [replace(instance(NOW), sop_instance_uid=f"1.2.{n}") for n in range(500)]
        with pytest.raises(StoreUnavailable, match="full"):
            store.record_instances(many)
        assert store.studies() == ()  # nothing of it stayed


def test_a_wrong_statement_is_a_bug_and_not_trouble(url):
    run(url, "DROP TABLE stage_times")
    with JobStore(url) as store, pytest.raises(OperationalError, match="stage_times"):
        store.stage_totals()


def test_a_file_that_is_no_database_is_said(tmp_path):
    (tmp_path / "x").write_bytes(os.urandom(8192))
    for ask in (JobStore, upgrade):
        with pytest.raises(StoreUnavailable, match="not a database"):
            ask(f"sqlite:///{tmp_path / 'x'}")


def test_the_store_shows_the_signatures_that_callers_use():
    named = ["self", "owner", "lease_s", "job_id"]
    assert list(inspect.signature(JobStore.claim).parameters) == named
