"""A worker says that it is there."""

import time

import pytest

from jobs.errors import StoreUnavailable
from service.presence import present


def until(condition):
    for _ in range(200):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError


def test_it_is_there_while_the_block_runs_and_gone_after_it(store):
    with present(store, "host:1", "1.0", every_s=0.05):
        until(store.workers)
        (worker,) = store.workers()
        assert (worker.owner, worker.version, worker.there) == ("host:1", "1.0", True)
        seen = worker.started_at
        until(lambda: store.workers()[0].silent_s is not None)
        assert store.workers()[0].started_at == seen
    assert store.workers() == ()


def test_a_store_that_is_away_is_told_later(store, monkeypatch):
    tell, refused = store.tell_worker, []

    def away(*given):
        if len(refused) < 3:
            refused.append(given)
            raise StoreUnavailable("away")
        tell(*given)

    monkeypatch.setattr(store, "tell_worker", away)
    with present(store, "host:1", "1.0", every_s=0.02):
        until(store.workers)
    assert len(refused) == 3


def test_an_error_of_the_block_comes_out_and_the_worker_has_left(store):
    def fails():
        with present(store, "host:1", "1.0", every_s=0.02):
            until(store.workers)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert store.workers() == ()
