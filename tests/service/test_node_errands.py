import threading

import pytest

from service.node_errands import errands


def test_errands_run_once_the_node_has_its_spool_and_end_with_it():
    started, ran, ended = threading.Event(), threading.Event(), threading.Event()

    def errand(stop):
        ran.set()
        assert stop.wait(10)
        ended.set()

    with errands(started, errand, errand):
        assert not ran.wait(0.2)
        started.set()
        assert ran.wait(10)
    assert ended.is_set()


def test_errands_of_a_node_that_does_not_start_never_run():
    started, ran = threading.Event(), threading.Event()
    with pytest.raises(OSError, match="taken"), errands(started, lambda _stop: ran.set()):
        raise OSError("the port is taken")
    assert not ran.is_set()
