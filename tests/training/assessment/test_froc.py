from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from monai.metrics import compute_froc_curve_data

from tests.training.scored import exam, hit, miss, right, wrong
from training.assessment.froc import FrocCurve, froc_by_confidence, froc_of_points, rank

EXAMS = [
    exam([hit(2.0, 0.9), miss(0.3)], [right(1.5, 0.9), wrong(0.2, 0.8)]),
    exam([hit(0.5, 0.6), hit(3.0, 0.6)], [right(4.0, 0.6), wrong(2.0, 0.7), wrong(0.1, 0.3)]),
]


def test_by_hand():
    # Cuts 0.9: 1 of 4 lesions, 0 false; 0.8: 1 false; 0.7: 2 false; 0.6: 3 lesions; 0.3: 3 false.
    curve = froc_by_confidence([rank(EXAMS)])
    assert curve == FrocCurve((0.0, 0.5, 1.0, 1.5), (0.25, 0.25, 0.75, 0.75))
    assert curve.sensitivity_at(0.2) == 0.25
    assert curve.sensitivity_at(0.5) == 0.25
    assert curve.sensitivity_at(1.0) == 0.75
    assert curve.sensitivity_at(100) == 0.75
    assert curve.area(2.0) == pytest.approx(0.25 * 1 + 0.75 * 1)
    assert curve.area(0.5) == pytest.approx(0.125)


def test_large_lesions_and_large_false_positives_by_hand():
    # Lesions of 2 and 3 mL; the only false positive of 1 mL or more has 0.7.
    curve = froc_by_confidence([rank(EXAMS, 1.0)])
    assert curve == FrocCurve((0.0, 0.5), (0.5, 1.0))


def test_exams_one_by_one_are_exams_together():
    apart = froc_by_confidence([rank([e]) for e in EXAMS])
    assert apart == froc_by_confidence([rank(EXAMS)])


def test_without_predictions_nothing_is_found_and_without_lesions_nothing_is_defined():
    nothing = froc_by_confidence([rank([exam([miss(1.0)])])])
    assert (nothing.sensitivity_at(0.2), nothing.area(15)) == (0.0, 0.0)
    undefined = froc_by_confidence([rank([exam(predictions=[wrong(1.0, 0.5)])])])
    assert math.isnan(undefined.sensitivity_at(0.2))
    assert math.isnan(undefined.area(15))


def test_a_worse_threshold_does_not_lower_the_curve():
    curve = froc_of_points(np.array([2.0, 1.0, 1.0]), np.array([0.4, 0.6, 0.5]))
    assert curve == FrocCurve((0.0, 1.0, 2.0), (0.0, 0.6, 0.6))


@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=12),
    st.lists(st.integers(1, 9), min_size=1, max_size=12),
    st.integers(0, 3),
)
def test_monai_finds_the_same_points(found, false, missed):
    best = np.array(found) / 10
    cost, sensitivity = compute_froc_curve_data(
        np.array(false) / 10, best, num_targets=len(found) + missed, num_images=4
    )
    lesions = [*(hit(1.0, c / 10) for c in found), *(miss(1.0) for _ in range(missed))]
    ours = froc_by_confidence(
        [rank([exam(lesions, [wrong(1.0, c / 10) for c in false]), exam(), exam(), exam()])]
    )
    # MONAI leaves out the lowest cut, where everything counts; ours goes on to it.
    for fp, found_there in zip(cost, sensitivity, strict=True):
        assert ours.sensitivity_at(fp) >= found_there - 1e-12
    points = set(zip(cost.tolist(), sensitivity.tolist(), strict=True))
    last = (len(false) / 4, len(found) / (len(found) + missed))
    kept = set(zip(ours.fp_per_exam, ours.sensitivity, strict=True))
    assert kept <= points | {last}
    assert last in kept
