from __future__ import annotations

import math

import numpy as np
import pytest

from training.assessment.reliability import bland_altman, gwet_ac1, icc_2_1

SHROUT_FLEISS = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float
)
"""Shrout & Fleiss, Psychol Bull 1979;86:420, table 2."""


def test_icc_of_shrout_and_fleiss():
    assert icc_2_1(SHROUT_FLEISS) == pytest.approx(0.29, abs=0.005)


def test_icc_minds_a_constant_offset():
    true = np.array([1.0, 2.0, 3.0, 4.0])
    assert icc_2_1(np.stack([true, true], axis=1)) == pytest.approx(1.0)
    # Subjects: MS 2 * 5/3; raters: MS 4 * 0.5 = 2; no error: 10/3 / (10/3 + 2 * 2 / 4).
    assert icc_2_1(np.stack([true, true + 1], axis=1)) == pytest.approx((10 / 3) / (10 / 3 + 1))


def test_icc_of_nothing_that_varies():
    assert math.isnan(icc_2_1(np.ones((5, 2))))
    assert math.isnan(icc_2_1(np.array([[1.0, 2.0]])))


def test_limits_by_hand():
    # Mean 2, SD with n - 1: sqrt(((1-2)^2 + 0 + (3-2)^2) / 2) = 1.
    found = bland_altman([1.0, 2.0, 3.0])
    assert found is not None
    assert (found.bias, found.low, found.high) == pytest.approx((2, 2 - 1.96, 2 + 1.96))
    assert bland_altman([1.0]) is None


def test_ac1_by_hand():
    # 118 agree on 0, 5 and 2 differ, none agrees on 1: p = 118/125, share of 1 is 3.5/125.
    ratings = np.array([[0, 0]] * 118 + [[0, 1]] * 5 + [[1, 0]] * 2)
    share = 3.5 / 125
    chance = 2 * share * (1 - share)
    assert gwet_ac1(ratings, 2) == pytest.approx((118 / 125 - chance) / (1 - chance))
    assert gwet_ac1(ratings, 2) == pytest.approx(0.9408, abs=1e-4)


def test_ac1_of_three_raters_by_hand():
    # Pairs that agree: 3 of 3, then 1 of 3. Grades: 0 four times, 1 once, 2 once, of six.
    found = gwet_ac1(np.array([[0, 0, 0], [0, 1, 2]]), 3)
    chance = (4 / 6 * 2 / 6 + 2 * (1 / 6 * 5 / 6)) / 2
    assert found == pytest.approx((3 / 3 / 2 + 0 - chance) / (1 - chance))


def test_ac1_refuses_what_is_no_grade():
    with pytest.raises(ValueError, match=r"0\.\.1"):
        gwet_ac1(np.array([[0, 2]]), 2)
    with pytest.raises(ValueError, match="two raters"):
        gwet_ac1(np.array([[0], [1]]), 2)
