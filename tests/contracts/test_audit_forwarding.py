"""How far the audit was handed on, on both databases."""

from jobs.audit import AuditEntry
from jobs.dump import dump
from jobs.forwarding import Behind
from jobs.load import load
from jobs.migrate import head
from jobs.store import JobStore

VIEW = AuditEntry("study_view", "success", "somebody", "viewer", "192.0.2.1")
HERE = "syslog.example:6514"


def test_one_process_at_a_time_hands_on_and_says_how_far_it_came(store, clock):
    for _ in range(3):
        store.record_audit(VIEW)
    turn = store.take_turn(HERE, 30.0)
    assert turn.position == 0
    assert store.take_turn(HERE, 30.0) is None
    assert store.take_turn("other.example:6514", 30.0).position == 0
    assert store.end_turn(turn, 2)
    assert store.take_turn(HERE, 30.0).position == 2
    clock.forward(5)
    assert store.audit_behind(HERE) == Behind(1, 5.0)


def test_who_lost_the_lease_moves_nothing(store, clock):
    for _ in range(3):
        store.record_audit(VIEW)
    slow = store.take_turn(HERE, 30.0)
    clock.forward(31)
    quick = store.take_turn(HERE, 30.0)
    assert quick.fence > slow.fence
    assert not store.end_turn(slow, 3)
    assert store.end_turn(quick, 1)
    assert store.take_turn(HERE, 30.0).position == 1


def test_a_receiver_never_goes_back(store):
    for _ in range(3):
        store.record_audit(VIEW)
    first = store.take_turn(HERE, 30.0)
    assert store.end_turn(first, 3)
    assert not store.end_turn(first, 1)
    assert store.take_turn(HERE, 30.0).position == 3


def test_nothing_is_behind_where_nothing_was_written(store):
    assert store.audit_behind(HERE) == Behind(0, 0.0)


def test_a_backup_knows_how_far_the_receivers_are(store, database, tmp_path):
    for _ in range(3):
        store.record_audit(VIEW)
    store.end_turn(store.take_turn(HERE, 30.0), 2)
    (tmp_path / "dump").mkdir()
    dump(database, tmp_path / "dump")
    copy = f"sqlite:///{tmp_path / 'copy.sqlite'}"
    load(copy, tmp_path / "dump", head())
    with JobStore(copy) as restored:
        assert restored.take_turn(HERE, 30.0).position == 2
