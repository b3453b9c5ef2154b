from __future__ import annotations

import pytest

from tests.training.scored import case, exam, hit, miss, right, wrong
from training.assessment.patients import Counts, by_patient, count, mean_lesion_dice

EXAM = exam(
    [hit(4.0, 0.9, dice=0.8), hit(0.2, 0.9, dice=0.4), miss(1.0)],
    [right(0.5, 0.9), right(1.5, 0.4), wrong(2.0, 0.3), wrong(0.1, 0.3)],
)


def test_counts_by_hand():
    found = count([EXAM])
    assert found == Counts(lesions=3, detected=2, predictions=4, true_predictions=2, exams=1)
    assert found.sensitivity == pytest.approx(2 / 3)
    assert found.precision == pytest.approx(0.5)
    assert found.f2 == pytest.approx(5 * 0.5 * (2 / 3) / (4 * 0.5 + 2 / 3))


def test_counts_from_1_ml_by_hand():
    # The lesion of 4 mL stays detected though a prediction of 0.5 mL might be the one that did it.
    assert count([EXAM], 1.0) == Counts(2, 1, 2, 1, 1)


def test_false_positives_are_per_exam():
    assert count([EXAM, exam()]).false_per_exam == 1.0


@pytest.mark.parametrize(
    ("exams", "sensitivity", "precision", "f2"),
    [
        ([exam()], None, None, 1.0),
        ([exam([miss(1.0)])], 0.0, 0.0, 0.0),
        ([exam(predictions=[wrong(1.0, 0.5)])], None, 0.0, 0.0),
        ([exam([miss(1.0)], [wrong(1.0, 0.5)])], 0.0, 0.0, 0.0),
    ],
)
def test_empty_cases_as_metrics_reloaded_has_them(exams, sensitivity, precision, f2):
    found = count(exams)
    assert (found.sensitivity, found.precision, found.f2) == (sensitivity, precision, f2)


def test_a_missed_lesion_has_dice_0():
    assert mean_lesion_dice([EXAM]) == pytest.approx((0.8 + 0.4 + 0) / 3)
    assert mean_lesion_dice([exam()]) is None


def test_exams_go_with_their_patient():
    cases = [case(1), case(2), case(3, patient="phantom-00001")]
    assert [[c.case[-1] for c in group] for group in by_patient(cases)] == [["1", "3"], ["2"]]
