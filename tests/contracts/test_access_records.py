"""Tokens, sessions and the audit, on both databases."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from jobs.audit import START, AuditEntry
from jobs.dump import dump
from jobs.engine import make_engine
from jobs.errors import AuditBroken, UnknownToken
from jobs.load import load
from jobs.migrate import head
from jobs.sessions import NewSession
from jobs.store import JobStore
from jobs.study import input_digest
from jobs.tokens import USED_EVERY_S, is_due

VIEW = AuditEntry("study_view", "success", "somebody ä", "viewer", "192.0.2.1", "1.2", None, "x")


def run(url, statement):
    engine = make_engine(url)
    try:
        with engine.begin() as connection:
            connection.execute(text(statement))
    finally:
        engine.dispose()


def test_a_token_is_found_by_its_digest_until_it_ends(store, clock):
    assert not store.has_tokens()
    made = store.add_token("a" * 64, "RIS", "operator", "admin", 60.0)
    assert store.has_tokens()
    assert store.token_of("a" * 64) == made
    assert made.expires_at == clock.now + timedelta(seconds=60)
    assert store.token_of("b" * 64) is None
    clock.forward(59)
    assert store.token_of("a" * 64) == made
    clock.forward(1)
    assert store.token_of("a" * 64) is None
    assert store.tokens() == (made,)


def test_a_token_without_an_end_lasts_until_it_is_revoked(store, clock):
    made = store.add_token("a" * 64, "RIS", "viewer", "admin", None)
    clock.forward(10**9)
    assert store.token_of("a" * 64) == made
    revoked = store.revoke_token(made.id)
    assert revoked.revoked_at == clock.now
    assert store.token_of("a" * 64) is None
    clock.forward(10)
    assert store.revoke_token(made.id) == revoked
    with pytest.raises(UnknownToken, match="osteon tokens list"):
        store.revoke_token("none")


def test_the_time_of_last_use_is_coarse(store, clock):
    made = store.add_token("a" * 64, "RIS", "viewer", "admin", None)
    assert is_due(made, clock.now)
    store.token_used(made)
    used = store.token_of("a" * 64)
    assert used.used_at == clock.now
    assert not is_due(used, clock.now + timedelta(seconds=USED_EVERY_S - 1))
    assert is_due(used, clock.now + timedelta(seconds=USED_EVERY_S))


def test_a_session_ends_by_idleness_by_age_and_with_its_token(store, clock):
    token = store.add_token("a" * 64, "RIS", "viewer", "admin", None)
    store.open_session("b" * 64, NewSession("somebody", "viewer", 100.0))
    store.open_session("c" * 64, NewSession("RIS", "viewer", 1000.0, token.id))
    clock.forward(29)
    assert store.session_of("b" * 64, 30.0).name == "somebody"
    store.session_seen("b" * 64)
    clock.forward(29)
    assert store.session_of("b" * 64, 30.0) is not None
    assert store.session_of("c" * 64, 30.0) is None
    assert store.session_of("c" * 64, 60.0) is not None
    clock.forward(42)
    assert store.session_of("b" * 64, 1e6) is None
    store.revoke_token(token.id)
    assert store.session_of("c" * 64, 1e6) is None


def test_a_session_is_closed_and_the_dead_are_removed(store, database, clock):
    store.open_session("a" * 64, NewSession("a", "viewer", 10.0))
    store.open_session("b" * 64, NewSession("b", "viewer", 1000.0))
    store.close_session("b" * 64)
    store.close_session("none")
    assert store.session_of("b" * 64, 1e6) is None
    clock.forward(20)
    store.open_session("c" * 64, NewSession("c", "viewer", 10.0))
    engine = make_engine(database)
    with engine.connect() as connection:
        left = connection.execute(text("SELECT digest FROM sessions")).scalars().all()
    engine.dispose()
    assert left == ["c" * 64]


def test_the_audit_is_a_chain(store, clock, arrivals):
    instances = arrivals("1.2.3")
    store.record_instances(instances)
    job = store.open_revision("1.2.3", input_digest(instances))
    assert store.verify_audit().digest == START
    store.record_audit(VIEW)
    clock.forward(1.000001)
    store.record_audit(AuditEntry("retry", "failed", "a", "admin", "::1", None, job.id))
    first, second = store.audit()
    assert (first.id, first.at, first.detail) == (1, clock.now - timedelta(seconds=1.000001), "x")
    assert second.study_uid == "1.2.3"
    assert (first.previous, second.previous) == (START, first.digest)
    chain = store.verify_audit(first.digest)
    assert (chain.rows, chain.digest) == (2, second.digest)
    assert store.audit(after=1) == (second,)
    with pytest.raises(AuditBroken, match="rows at its end are missing"):
        store.verify_audit("f" * 64)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = 'nobody' WHERE id = 2",
        "DELETE FROM audit WHERE id = 2",
        "DELETE FROM audit",
        "TRUNCATE audit",
        "INSERT OR REPLACE INTO audit SELECT * FROM audit WHERE id = 2",
    ],
)
def test_the_database_refuses_to_change_the_audit(store, database, statement):
    for _ in range(3):
        store.record_audit(VIEW)
    with pytest.raises(DBAPIError):
        run(database, statement)
    assert store.verify_audit().rows == 3


def switch_triggers_off(database):
    if database.startswith("sqlite"):
        for name in ("audit_keeps_rows", "audit_loses_nothing", "audit_goes_on"):
            run(database, f"DROP TRIGGER {name}")
    else:
        run(database, "ALTER TABLE audit DISABLE TRIGGER USER")


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE audit SET actor = 'nobody' WHERE id = 2", "row 2 of the audit is not"),
        ("UPDATE audit SET study_uid = NULL WHERE id = 2", "row 2 of the audit is not"),
        ("DELETE FROM audit WHERE id = 2", "rows between 1 and 3"),
        ("DELETE FROM audit WHERE id = 1", "rows between 0 and 2"),
    ],
)
def test_what_somebody_did_who_switched_that_off_is_found(store, database, statement, said):
    for _ in range(3):
        store.record_audit(VIEW)
    switch_triggers_off(database)
    run(database, statement)
    with pytest.raises(AuditBroken, match=said):
        store.verify_audit()


def test_rows_missing_at_the_end_are_found_by_a_digest_that_was_noted(store, database):
    for _ in range(3):
        store.record_audit(VIEW)
    noted = store.verify_audit().digest
    switch_triggers_off(database)
    run(database, "DELETE FROM audit WHERE id = 3")
    assert store.verify_audit().rows == 2
    with pytest.raises(AuditBroken, match=noted):
        store.verify_audit(noted)


def test_many_write_at_once_and_the_chain_is_one(database):
    def write():
        with JobStore(database) as own:
            for _ in range(5):
                own.record_audit(VIEW)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with JobStore(database) as store:
        assert store.verify_audit().rows == 20


def test_a_backup_keeps_tokens_and_the_chain_and_no_session(store, database, tmp_path):
    token = store.add_token("a" * 64, "RIS", "viewer", "admin", None)
    store.open_session("b" * 64, NewSession("somebody", "viewer", 100.0))
    for _ in range(3):
        store.record_audit(VIEW)
    noted = store.verify_audit().digest
    folder = tmp_path / "dump"
    folder.mkdir()
    written = dump(database, folder)
    assert "sessions" not in written.rows
    copy = f"sqlite:///{tmp_path / 'copy.sqlite'}"
    load(copy, folder, head())
    with JobStore(copy) as restored:
        assert restored.tokens() == (token,)
        assert restored.verify_audit(noted).rows == 3
        restored.record_audit(VIEW)
        assert restored.verify_audit(noted).rows == 4
        assert restored.session_of("b" * 64, 1e9) is None
