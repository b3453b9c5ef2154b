from __future__ import annotations

import math

import pytest

from imaging.response import Change
from imaging.response_limits import REPEATABILITY, USUAL_LIMITS, Limit, ResponseLimits


def test_the_limit_of_tdv_is_asymmetric_and_that_of_the_brief():
    # clinical_and_console.md A3: wSD of ln 0.23 is a ratio of 1.9, -47 % / +89 %
    assert pytest.approx(2.772, abs=0.001) == REPEATABILITY
    limit = USUAL_LIMITS.tdv
    assert limit.low_percent == pytest.approx(-47.1, abs=0.1)
    assert limit.high_percent == pytest.approx(89.2, abs=0.1)
    assert "0.23" in limit.source


def test_up_and_down_are_the_same_ratio():
    limit = Limit.of_ln(0.1, "a site's own")
    up, down = 1 + limit.high_percent / 100, 1 + limit.low_percent / 100
    assert up * down == pytest.approx(1)
    assert math.log(up) == pytest.approx(0.2772, abs=0.0001)


def test_another_scanner_has_a_wider_limit_with_its_own_source():
    same, other = USUAL_LIMITS.gadc(same_scanner=True), USUAL_LIMITS.gadc(same_scanner=False)
    assert (same.low_percent, same.high_percent) == (-10, 10)
    assert (other.low_percent, other.high_percent) == (-20, 20)
    assert same.source != other.source


def test_a_site_replaces_a_limit_and_its_source():
    limits = ResponseLimits(lesion_adc_percent=40, lesion_adc_source="myeloma")
    assert limits.lesion_adc == Limit(-40, 40, "myeloma")


@pytest.mark.parametrize(
    ("before", "after", "percent", "ln_ratio"),
    [
        (100.0, 50.0, -50.0, math.log(0.5)),
        (100.0, 0.0, -100.0, None),
        (0.0, 10.0, None, None),
        (None, 10.0, None, None),
        (10.0, None, None, None),
    ],
)
def test_a_change_in_percent_and_as_ln_of_the_ratio(before, after, percent, ln_ratio):
    change = Change(before, after)
    assert change.percent == percent
    assert change.ln_ratio == ln_ratio
