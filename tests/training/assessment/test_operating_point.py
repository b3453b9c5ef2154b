from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from imaging.geometry import Geometry
from training.assessment.froc import FrocCurve
from training.assessment.operating_point import (
    HeldOutCounts,
    choose_threshold,
    counts_by_threshold,
    froc_by_threshold,
)
from training.assessment.patients import Counts
from training.errors import TrainingError
from training.folds import FoldCase, stratified_folds

GEOMETRY = Geometry.axial((8, 12, 12), (5.0, 2.0, 2.0), (0, 0, 0))
THRESHOLDS = (0.2, 0.5, 0.8)


def volume():
    """A lesion found at 0.9, one at 0.6; false at 0.7 and 0.3."""
    truth = np.zeros(GEOMETRY.shape, dtype=np.bool_)
    probability = np.full(GEOMETRY.shape, 0.01, np.float32)
    for column, value, true in ((1, 0.9, True), (4, 0.6, True), (7, 0.7, False), (10, 0.3, False)):
        probability[3, 2:4, column] = value
        truth[3, 3:5, column] = true
    return probability, truth


def test_counts_at_every_threshold_by_hand():
    found = counts_by_threshold(*volume(), GEOMETRY, THRESHOLDS)
    assert found == (Counts(2, 2, 4, 2, 1), Counts(2, 2, 3, 2, 1), Counts(2, 1, 1, 1, 1))


def test_an_empty_exam_counts_nothing():
    probability, truth = volume()
    found = counts_by_threshold(probability * 0, truth & False, GEOMETRY, THRESHOLDS)
    assert found == (Counts(0, 0, 0, 0, 1),) * 3


@pytest.fixture
def folds():
    return stratified_folds([FoldCase(c, c, 2) for c in "abcd"], 2, 1)


@pytest.fixture
def predictions(folds):
    counts = counts_by_threshold(*volume(), GEOMETRY, THRESHOLDS)
    return [HeldOutCounts(case, fold, counts) for case, fold in folds.fold_of.items()]


def test_the_best_mean_f2_by_hand(folds, predictions):
    # F2 of P 2/4, R 1; of P 2/3, R 1; of P 1, R 1/2.
    found = choose_threshold(predictions, folds, THRESHOLDS)
    assert found.threshold == 0.5
    assert found.f2_by_threshold == (
        (0.2, pytest.approx(5 * 0.5 / (4 * 0.5 + 1))),
        (0.5, pytest.approx(5 * (2 / 3) / (4 * 2 / 3 + 1))),
        (0.8, pytest.approx(5 * 0.5 / (4 + 0.5))),
    )
    assert found.f2 == found.f2_by_threshold[1][1]


def test_of_equal_thresholds_the_highest(folds, predictions):
    same = [dataclasses.replace(p, counts=(p.counts[0],) * 3) for p in predictions]
    assert choose_threshold(same, folds, THRESHOLDS).threshold == 0.8


def test_a_patient_counts_once_however_many_exams():
    # Two exams of one patient want a low threshold, the two other patients a high one.
    low, high = Counts(1, 1, 1, 1, 1), Counts(1, 0, 1, 0, 1)
    wanted = {"a1": (low, high), "a2": (low, high), "b": (high, low), "c": (high, low)}
    cases = [FoldCase(c, c[0], 1) for c in wanted]
    folds = stratified_folds(cases, 3, 1)
    predictions = [HeldOutCounts(c, folds.fold_of[c], k) for c, k in wanted.items()]
    assert choose_threshold(predictions, folds, (0.3, 0.6)).threshold == 0.6


def test_a_model_that_saw_the_patient_has_no_say(folds, predictions):
    leak = [dataclasses.replace(predictions[0], model_fold=1 - predictions[0].model_fold)]
    with pytest.raises(TrainingError, match="fitted on its patient") as caught:
        choose_threshold([*leak, *predictions[1:]], folds, THRESHOLDS)
    assert caught.value.code == "FOLDS"


def test_every_case_must_be_there_once(folds, predictions):
    for wrong in (predictions[1:], [*predictions, predictions[0]]):
        with pytest.raises(TrainingError, match="once"):
            choose_threshold(wrong, folds, THRESHOLDS)
    with pytest.raises(TrainingError, match="no fold"):
        choose_threshold([dataclasses.replace(predictions[0], case="x")], folds, THRESHOLDS)


def test_froc_by_threshold_by_hand(predictions):
    curve = froc_by_threshold(predictions)
    assert curve == FrocCurve((0.0, 1.0, 2.0), (0.5, 1.0, 1.0))
