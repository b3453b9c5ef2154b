"""The headline changes against an earlier study, as a list of studies shows and filters them."""

import pytest

from imaging.response import Change, Comparison, PriorComparison, TimePoint
from imaging.response_limits import Limit
from jobs.headline import headline
from workers.comparison import FollowedUp
from workers.summary import changes_of

LIMIT = Limit(-10.0, 10.0, "the test")
PRIOR = TimePoint("1.2.1", "run", "2026-01-01", "", 10.0, 900.0, 1, (1.0, 2.0, 3.0), "complete")


def against(tdv, gadc, roles=("previous", "baseline")):
    return PriorComparison(PRIOR, roles, 30, True, tdv, gadc, (), (), (), (), None)


def followed(*compared, chosen="previous"):
    return FollowedUp(None, None, Comparison((PRIOR,), compared, chosen))


def test_changes_are_in_percent_with_their_calls_and_against_which_study():
    told = changes_of(
        followed(against(Change(10.0, 25.0, LIMIT, "up"), Change(900.0, 909.0, LIMIT, "within")))
    )
    assert told is not None
    assert (told["study_uid"], told["roles"]) == ("1.2.1", ["previous", "baseline"])
    assert told["tdv"] == {"percent": 150.0, "call": "up"}
    assert told["gadc"] == {"percent": pytest.approx(1.0), "call": "within"}
    assert told["beyond_limit"] is True


@pytest.mark.parametrize(
    ("tdv", "gadc", "beyond"),
    [
        ("within", "within", False),
        ("down", "within", True),
        ("within", "up", True),
        ("not_called", "not_called", False),
    ],
)
def test_one_of_the_two_beyond_its_limit_is_enough(tdv, gadc, beyond):
    pair = against(Change(10.0, 11.0, LIMIT, tdv), Change(900.0, 909.0, LIMIT, gadc))
    told = changes_of(followed(pair))
    assert told is not None
    assert told["beyond_limit"] is beyond
    assert headline({"tdv_ml": 11.0, "follow_up": told})["beyond_limit"] is beyond


def test_what_is_not_known_is_none_and_not_0():
    nothing = Change(None, None, why="not known of the earlier study")
    told = changes_of(followed(against(nothing, nothing)))
    assert told is not None
    assert told["tdv"] == {"percent": None, "call": "not_called"}


def test_only_the_study_that_the_headline_is_against_counts():
    up = against(Change(10.0, 25.0, LIMIT, "up"), Change(1.0, 1.0, LIMIT, "within"), ("baseline",))
    assert changes_of(followed(up)) is None
    told = changes_of(followed(up, chosen="baseline"))
    assert told is not None
    assert told["beyond_limit"]


def test_without_an_earlier_study_there_is_nothing_to_tell():
    assert changes_of(None) is None
    assert changes_of(FollowedUp(None, None)) is None
    assert changes_of(followed()) is None
    assert headline({"tdv_ml": 1.0, "follow_up": None})["beyond_limit"] is False
