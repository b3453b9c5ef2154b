"""What nodes tell each other: the same body over SQLite and PostgreSQL."""

from jobs.receptions import Reception
from jobs.study import input_digest

SENDING = Reception(30.0, 1.0, busy=True, urgent=True)
DONE = Reception(10.0, 8.0, busy=False)


def test_a_node_hears_all_others_together_and_not_itself(store, clock):
    store.tell_receptions("a", {"1.2": SENDING, "1.3": DONE}, 15)
    store.tell_receptions("b", {"1.2": DONE}, 15)
    assert store.receptions_elsewhere("a", ["1.2", "1.3"]) == {"1.2": DONE}
    assert store.receptions_elsewhere("b", ["1.3"]) == {"1.3": DONE}
    assert store.receptions_elsewhere("c", ["1.2"]) == {"1.2": SENDING}
    clock.forward(5)
    assert store.receptions_elsewhere("c", ["1.3"]) == {"1.3": Reception(15.0, 13.0, busy=False)}


def test_what_is_told_replaces_what_was(store):
    store.tell_receptions("a", {"1.2": SENDING}, 15)
    store.tell_receptions("a", {"1.3": DONE}, 15)
    assert store.receptions_elsewhere("b", ["1.2", "1.3"]) == {"1.3": DONE}
    store.tell_receptions("a", {}, 15)
    assert store.receptions_elsewhere("b", ["1.2", "1.3"]) == {}


def test_a_silent_node_is_not_busy_and_is_forgotten_in_the_end(store, clock):
    store.tell_receptions("a", {"1.2": SENDING}, 15)
    clock.forward(16)
    assert store.receptions_elsewhere("b", ["1.2"]) == {
        "1.2": Reception(46.0, 17.0, busy=False, urgent=True)
    }
    clock.forward(2 * 24 * 3600)
    store.tell_receptions("b", {}, 15)
    assert store.receptions_elsewhere("b", ["1.2"]) == {}


def test_a_closed_study_is_received_by_nobody(store, arrivals):
    instances = arrivals("1.2")
    store.record_instances(instances)
    store.tell_receptions("a", {"1.2": SENDING, "1.3": DONE}, 15)
    store.open_revision("1.2", input_digest(instances))
    assert store.receptions_elsewhere("b", ["1.2", "1.3"]) == {"1.3": DONE}
