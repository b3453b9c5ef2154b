"""When a study is closed: the rules, and the looks at its content beside the node's loop."""

import logging
import threading
import time
from pathlib import Path

import pytest

from dicom_node.completion import Cause, ContentFirst, QuietPeriod, StudyArrivals
from dicom_node.content import Content, Looks, Verdict

RULE = ContentFirst(settle_s=2, quiet_s=60, deadline_s=7200)
CONTENT = Content("1.2", (Path("a"), Path("b")), frozenset())


def arrivals(first=100.0, last=100.0, *, busy=False, whole=False):
    return StudyArrivals("1.2", first, last, busy, whole)


def test_quiet_is_counted_from_the_last_arrival_and_only_when_nobody_is_at_it():
    rule = QuietPeriod(60)
    assert rule.due(arrivals(), 159) is None
    assert rule.due(arrivals(), 160) is Cause.QUIET
    assert rule.due(arrivals(busy=True), 1000) is None


def test_a_whole_content_is_due_after_a_moment_of_silence_with_nobody_at_it():
    assert RULE.due(arrivals(whole=True), 101.9) is None
    assert RULE.due(arrivals(whole=True), 102) is Cause.CONTENT
    assert RULE.due(arrivals(whole=True, busy=True), 110) is None


def test_the_content_is_worth_a_look_only_when_the_study_has_settled():
    assert not RULE.settled(arrivals(), 101.9)
    assert RULE.settled(arrivals(), 102)
    assert not RULE.settled(arrivals(busy=True), 1000)


def test_what_is_not_whole_waits_for_the_quiet_period():
    assert RULE.due(arrivals(), 159) is None
    assert RULE.due(arrivals(), 160) is Cause.QUIET


def test_at_the_deadline_neither_a_trickle_nor_an_open_association_holds_a_study():
    assert RULE.due(arrivals(last=7270), 7299) is None
    assert RULE.due(arrivals(last=7270), 7300) is Cause.DEADLINE
    assert RULE.due(arrivals(last=7270, busy=True), 7300) is Cause.DEADLINE


def test_the_deadline_does_not_cut_into_a_transfer():
    assert RULE.due(arrivals(last=7299, busy=True), 7300) is None
    assert RULE.due(arrivals(last=7299), 7300.9) is None
    assert RULE.due(arrivals(last=7299), 7301) is Cause.DEADLINE


class Check:
    """Answers with what it was given, or raises it; counts the looks."""

    def __init__(self, answer):
        self.answer = answer
        self.seen = []
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    def __call__(self, content):
        self.seen.append(content)
        assert self.may_go_on.wait(10)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def close(self):
        self.may_go_on.set()


@pytest.fixture
def looks():
    made = []

    def make(answer):
        check = Check(answer)
        made.append(Looks(check))
        return check, made[-1]

    yield make
    for one in made:
        one.stop()


def settled(check, looks, state, instances, known=1):
    """Begin a look and wait for its end; return what it says then."""
    assert not looks.whole("1.2", state, lambda: CONTENT)
    assert instances.until(lambda: len(check.seen) == known)
    time.sleep(0.05)
    return looks.whole("1.2", state, lambda: CONTENT)


def test_each_state_of_a_study_is_looked_at_once(looks, instances):
    check, found = looks(Verdict(True, "whole"))
    assert settled(check, found, 1, instances)
    assert found.whole("1.2", 1, lambda: CONTENT)
    assert len(check.seen) == 1
    assert settled(check, found, 2, instances, known=2)


def test_what_was_whole_is_not_once_something_came(looks, instances):
    check, found = looks(Verdict(True, "whole"))
    assert settled(check, found, 1, instances)
    check.answer = Verdict(False, "half of a station")
    assert not settled(check, found, 2, instances, known=2)


def test_a_closed_study_is_looked_at_anew(looks, instances):
    check, found = looks(Verdict(True, "whole"))
    assert settled(check, found, 1, instances)
    found.forget("1.2")
    found.forget("1.2")
    assert not found.whole("1.2", 1, lambda: CONTENT)


def test_a_slow_look_keeps_nobody_waiting_and_an_outdated_one_is_left_out(looks, instances):
    check, found = looks(Verdict(True, "whole"))
    check.may_go_on.clear()
    begun = time.monotonic()
    for state in range(1, 6):
        assert not found.whole("1.2", state, lambda: CONTENT)
    assert time.monotonic() - begun < 1
    check.may_go_on.set()
    assert instances.until(lambda: found.whole("1.2", 5, lambda: CONTENT))
    assert len(check.seen) <= 2


def test_a_bug_in_a_look_is_told_without_its_text_and_the_study_is_not_whole(
    looks, instances, caplog
):
    check, found = looks(ValueError("CANARY^SYNTHETIC"))
    with caplog.at_level(logging.INFO):
        assert not settled(check, found, 1, instances)
        assert instances.until(lambda: caplog.records)
    assert "ValueError" in caplog.text
    assert "CANARY" not in caplog.text


def test_the_end_of_the_node_ends_a_look(looks):
    check, found = looks(Verdict(True, "whole"))
    check.may_go_on.clear()
    found.whole("1.2", 1, lambda: CONTENT)
    begun = time.monotonic()
    found.stop()
    assert time.monotonic() - begun < 2
