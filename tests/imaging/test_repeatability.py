"""Against numbers worked out by hand."""

from __future__ import annotations

import math

import pytest

from imaging.repeatability import TooFewPairs, repeatability, repeatability_of_ln

PAIRS = [(1000.0, 1040.0), (1000.0, 980.0), (1000.0, 1000.0), (1000.0, 1020.0)]


def test_pairs_of_an_adc_by_hand():
    found = repeatability(PAIRS)
    # sum of d squared = 1600 + 400 + 0 + 400 = 2400; wSD = sqrt(2400 / 8)
    assert found.wsd == pytest.approx(math.sqrt(300))
    assert found.rc == pytest.approx(1.96 * math.sqrt(2) * math.sqrt(300))  # 48.0
    assert found.rc == pytest.approx(48.0, abs=0.1)
    # mean of d2 / 2m2: (1600/2080800 + 400/1960200 + 0 + 400/2040200) / 4
    wcv = math.sqrt((1600 / 2080800 + 400 / 1960200 + 400 / 2040200) / 4)
    assert found.wcv_percent == pytest.approx(100 * wcv)
    assert found.rc_percent == pytest.approx(2.7718585 * 100 * wcv)
    # bias 10; d - bias = 30, -30, -10, 10: SD = sqrt(2000 / 3) = 25.82
    assert found.bias == pytest.approx(10)
    assert found.loa_low == pytest.approx(10 - 1.959964 * 25.8199, abs=1e-3)
    assert found.loa_high == pytest.approx(10 + 1.959964 * 25.8199, abs=1e-3)
    assert (found.n_pairs, found.mean) == (4, 1005)


def test_pairs_of_a_volume_are_described_on_their_logarithm():
    ratios = (1.2, 1 / 1.2, 1.0, 1.44)
    found = repeatability_of_ln(
        [(v, v * r) for v, r in zip((1.0, 10.0, 100.0, 1000.0), ratios, strict=True)]
    )
    # ln 1.2 = 0.18232: d = a, -a, 0, 2a; sum of squares 6 a2; wSD = a sqrt(6 / 8)
    a = math.log(1.2)
    assert found.wsd == pytest.approx(a * math.sqrt(0.75))
    assert found.bias == pytest.approx(a / 2)
    assert (found.wcv_percent, found.rc_percent) == (None, None)


def test_the_unit_of_a_volume_does_not_change_its_limits():
    ml = [(100.0, 120.0), (50.0, 40.0), (10.0, 11.0)]
    mm3 = [(1000 * a, 1000 * b) for a, b in ml]
    assert repeatability_of_ln(ml).wsd == pytest.approx(repeatability_of_ln(mm3).wsd)


@pytest.mark.parametrize("pairs", [PAIRS[:2], [*PAIRS, (0.0, 1.0)], [*PAIRS, (1.0, math.nan)]])
def test_what_is_no_set_of_pairs_is_refused(pairs):
    with pytest.raises(TooFewPairs):
        repeatability(pairs)
