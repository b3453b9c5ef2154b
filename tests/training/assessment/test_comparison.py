from __future__ import annotations

import dataclasses

import pytest

from tests.training.scored import case, exam, hit, miss, right, wrong
from training.assessment.comparison import compare_models, comparison_table
from training.errors import TrainingError


def cohort(found, dice):
    """Six patients with three lesions each, `found` of them detected, k false predictions."""
    return [
        case(
            k,
            exam(
                [hit(2.0, 0.9, dice + 0.01 * k)] * found + [miss(2.0)] * (3 - found),
                [right(2.0, 0.9)] * found + [wrong(0.5, 0.9)] * k,
            ),
        )
        for k in range(1, 7)
    ]


def test_by_hand():
    rows = compare_models({"sap": cohort(3, 0.7), "random": cohort(1, 0.5)})
    by_number = {row.number: row for row in rows}
    sensitivity = by_number["sensitivity"]
    assert (sensitivity.median_first, sensitivity.median_second) == (1.0, pytest.approx(1 / 3))
    # Six pairs that all differ the same way: 2 of 2^6 sign patterns; every difference is tied, so
    # scipy takes the normal approximation or permutes: either way it is small.
    assert sensitivity.p is not None
    assert sensitivity.p < 0.05
    assert by_number["false positives per exam"].p is None
    lesions = by_number["Dice of detected lesions"]
    assert (lesions.test, lesions.n) == ("Mann-Whitney", "18 and 6 lesions")
    tested = sum(row.p is not None for row in rows)
    assert lesions.p_corrected == pytest.approx(min(1.0, lesions.p * tested))
    assert len(rows) == 9


def test_three_models_are_three_pairs():
    models = {name: cohort(n, 0.5) for n, name in enumerate(("a", "b", "c"), start=1)}
    rows = compare_models(models)
    assert list(dict.fromkeys((r.first, r.second) for r in rows)) == [
        ("a", "b"),
        ("a", "c"),
        ("b", "c"),
    ]
    text = comparison_table(rows)
    assert len(text.splitlines()) == 2 + 27
    assert "| F2 | a | b |" in text


def test_equal_models_have_nothing_to_test_by_patient():
    rows = compare_models({"a": cohort(2, 0.5), "b": cohort(2, 0.5)})
    assert {row.p for row in rows if row.test == "Wilcoxon"} == {None}
    assert {row.p_corrected for row in rows if row.test == "Mann-Whitney"} == {1.0}


def test_other_exams_cannot_be_compared():
    other = [dataclasses.replace(c, case="elsewhere") for c in cohort(1, 0.5)]
    with pytest.raises(TrainingError, match="different exams") as caught:
        compare_models({"a": cohort(1, 0.5), "b": other})
    assert caught.value.code == "COMPARISON"
    with pytest.raises(TrainingError, match="two evaluations"):
        compare_models({"a": cohort(1, 0.5)})
