from __future__ import annotations

import pytest

from imaging.response import Change, Mark
from imaging.response_changes import adc_change, marks, volume_change
from imaging.response_limits import USUAL_LIMITS, Limit

TEN = Limit.symmetric(10.0, "ten")


@pytest.mark.parametrize(
    ("before", "after", "call"),
    [
        # -47.1 % and +89.2 %: 100 mL to 53 is within, to 52.8 beyond; to 189 within, 190 beyond
        (100.0, 53.0, "within"),
        (100.0, 52.8, "down"),
        (100.0, 189.0, "within"),
        (100.0, 190.0, "up"),
        (0.0, 0.6, "up"),
        (0.6, 0.0, "down"),
        (0.0, 0.0, "not_called"),
        (0.1, 0.4, "not_called"),
        (0.1, 0.5, "up"),
        (None, 5.0, "not_called"),
        (5.0, None, "not_called"),
    ],
)
def test_a_volume_is_judged_on_its_logarithm(before, after, call):
    change = volume_change(before, after, USUAL_LIMITS.tdv, 0.5)
    assert change.call == call
    assert (change.before, change.after) == (before, after)
    assert bool(change.why) == (call == "not_called")


@pytest.mark.parametrize(
    ("before", "after", "call"),
    [(1000, 1100, "within"), (1000, 1101, "up"), (1000, 899, "down"), (1000, 900, "within")],
)
def test_an_adc_is_judged_in_percent(before, after, call):
    assert adc_change(before, after, TEN, (5.0, 5.0), 0.5).call == call


@pytest.mark.parametrize("volumes", [(0.4, 5.0), (5.0, 0.4)])
def test_of_a_small_lesion_no_adc_change_is_called(volumes):
    change = adc_change(1000, 2000, TEN, volumes, 0.5)
    assert change.call == "not_called"
    assert "0.5 mL" in change.why
    assert change.percent == 100


def test_without_disease_in_one_study_there_is_no_adc_change():
    assert "earlier" in adc_change(None, 1000, TEN, (0, 5), 0.5).why
    assert "this study" in adc_change(1000, None, TEN, (5, 0), 0.5).why


@pytest.mark.parametrize(
    ("before", "after", "passed"),
    [
        (800, 900, []),
        (800, 1000, [(25, "%", "up")]),  # exactly 25 %, and 1000 is not above 1000
        (900, 1300, [(25, "%", "up"), (40, "%", "up"), (1000, "um2/s", "up")]),
        (1400, 1401, [(1400, "um2/s", "up")]),
        (1500, 1400, [(1400, "um2/s", "down")]),
        (1500, 900, [(1000, "um2/s", "down"), (1400, "um2/s", "down")]),
    ],
)
def test_marks_of_met_rads_are_facts_beside_the_limits(before, after, passed):
    found = marks(Change(before, after), USUAL_LIMITS)
    assert list(found) == [Mark(*mark) for mark in passed]
