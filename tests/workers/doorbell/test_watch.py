"""Deaf is: rings wait, a place is free, and none is taken."""

import pytest

from workers.doorbell.watch import Activity, ConsumptionWatch


class Rings(dict):
    away = False

    def __call__(self):
        return None if self.away else dict(self)


@pytest.fixture
def rings():
    return Rings(urgent=0, routine=1, reprocess=0)


@pytest.fixture
def watch(rings):
    mine = frozenset({"urgent", "routine"})
    return ConsumptionWatch(Activity(), rings, lambda: mine, places=2, limit_s=60.0)


def test_rings_that_nobody_takes_for_the_limit(watch):
    assert [watch.is_deaf(at) for at in (0.0, 30.0, 59.9)] == [False] * 3
    assert watch.is_deaf(60.0)


def test_whoever_takes_one_hears(watch):
    watch.is_deaf(0.0)
    with watch.activity:
        pass
    assert not watch.is_deaf(59.0)
    assert not watch.is_deaf(118.9)
    assert watch.is_deaf(119.0)


def test_an_empty_queue_begins_the_count_anew(watch, rings):
    watch.is_deaf(0.0)
    rings["routine"] = 0
    assert not watch.is_deaf(60.0)
    rings["routine"] = 1
    assert not watch.is_deaf(61.0)


@pytest.mark.parametrize("state", ["away", "of others", "busy"])
def test_who_cannot_or_need_not_take_is_not_deaf(watch, rings, state):
    rings.away = state == "away"
    if state == "of others":
        rings.update(routine=0, reprocess=5)
    watch.activity.running = 2 if state == "busy" else 1
    assert [watch.is_deaf(at) for at in (0.0, 100.0)] == [False, False]
