"""Rings that are lost come again, and no more than that."""

from collections import Counter
from types import SimpleNamespace

from jobs.errors import StoreUnavailable
from jobs.job import Priority
from workers.doorbell.reconciler import Reconciler

NOTHING = {"urgent": 0, "routine": 0, "reprocess": 0}


class Bell:
    def __init__(self):
        self.rings = {**NOTHING}
        self.rung = Counter()
        self.away = False

    def ring(self, job_id, priority):
        self.rung[job_id] += 1
        self.rings["urgent" if priority > 0 else "routine" if priority == 0 else "reprocess"] += 1
        return True

    def waiting(self):
        return None if self.away else dict(self.rings)


def job(name, priority=Priority.ROUTINE):
    return SimpleNamespace(id=name, priority=int(priority))


def reconciler(*due):
    bell = Bell()
    return Reconciler(SimpleNamespace(due=lambda: due), bell, 1.0), bell


def test_a_job_without_a_ring_is_rung_for_at_the_second_look_and_then_no_more():
    looks, bell = reconciler(job("a"), job("b", Priority.URGENT))
    assert [looks.look() for _ in range(4)] == [0, 2, 0, 0]
    assert bell.rung == {"a": 1, "b": 1}


def test_a_ring_that_was_just_taken_is_not_missed():
    looks, bell = reconciler(job("a"), job("b"))
    bell.rings["routine"] = 1  # the other is in a worker's hands
    assert looks.look() == 0
    bell.rings["routine"] = 2
    assert looks.look() == 0
    bell.rings["routine"] = 1
    assert looks.look() == 0


def test_a_full_queue_of_one_priority_hides_no_lost_ring_of_another():
    looks, bell = reconciler(job("a"), job("b", Priority.URGENT))
    bell.rings["routine"] = 50
    assert [looks.look() for _ in range(2)] == [0, 1]
    assert bell.rung == {"b": 1}


def test_a_queue_never_holds_more_than_twice_the_jobs_that_are_due():
    looks, bell = reconciler(*(job(str(n)) for n in range(20)))
    for _ in range(100):
        looks.look()
        bell.rings["routine"] = max(0, bell.rings["routine"] - 1)  # a slow worker
        assert bell.rings["routine"] <= 40


def test_nothing_is_rung_while_the_broker_or_the_store_is_away():
    looks, bell = reconciler(job("a"))
    bell.away = True
    assert [looks.look() for _ in range(3)] == [0, 0, 0]

    def away():
        raise StoreUnavailable("away")

    looks.store = SimpleNamespace(due=away)
    assert looks.look() == 0
