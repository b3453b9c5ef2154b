"""The table of legal moves, as a law and as a picture."""

import re
from datetime import UTC, datetime

import pytest

from jobs.diagram import mermaid
from jobs.errors import IllegalMove
from jobs.job import NEXT, Failure, Job, JobState, check_move

# Written out once more by hand: a change of the law has to be made twice.
LEGAL = {
    ("queued", "running"),
    ("queued", "rejected"),
    ("running", "queued"),
    ("running", "delivered"),
    ("running", "rejected"),
    ("running", "failed"),
    ("running", "held"),
    ("delivered", "queued"),
    ("failed", "queued"),
    ("held", "queued"),
    ("held", "rejected"),
}


@pytest.mark.parametrize("current", JobState)
@pytest.mark.parametrize("target", JobState)
def test_the_law(current, target):
    if (current, target) in LEGAL:
        check_move(current, target)
    else:
        with pytest.raises(IllegalMove, match=f"a {current} job cannot become {target}"):
            check_move(current, target)


def test_every_state_has_a_line_and_can_be_reached():
    assert set(NEXT) == set(JobState)
    assert {target for targets in NEXT.values() for target in targets} == set(JobState)


def test_the_picture_shows_the_law_and_nothing_else():
    first, begin, *arrows = mermaid().splitlines()
    assert (first, begin) == ("stateDiagram-v2", "    [*] --> queued")
    drawn = {re.fullmatch(r"    (\w+) --> (\w+|\[\*\])", arrow).groups() for arrow in arrows}
    assert drawn == LEGAL | {("rejected", "[*]")}


def test_a_log_line_says_nothing_of_the_study():
    now = datetime(2026, 1, 1, tzinfo=UTC)
    times = {"lease_until": None, "not_before": None, "created_at": now, "updated_at": now}
    numbers = {"revision": 2, "progress": 0.0, "attempt": 1, "max_attempts": 3, "fence": 4}
    who = {"id": "ab", "study_uid": "1.2.3", "lease_owner": None, "priority": 0}
    who["input_digest"] = "0" * 64
    failure = Failure("BUG", "a sentence")
    job = Job(state=JobState.FAILED, stage=None, failure=failure, **who, **numbers, **times)
    assert job.log_context() == {"job_id": "ab", "revision": 2, "attempt": 1}
