from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.errors import TrainingError
from training.folds import FoldCase, stratified_folds


def cohort(counts, exams=1):
    return [
        FoldCase(f"p{p}-{exam}", f"p{p}", lesions)
        for p, lesions in enumerate(counts)
        for exam in range(exams)
    ]


@given(
    st.lists(st.integers(0, 40), min_size=5, max_size=40),
    st.integers(2, 5),
    st.integers(1, 3),
    st.integers(0, 99),
)
def test_no_patient_is_on_both_sides(counts, n, exams, seed):
    cases = cohort(counts, exams)
    folds = stratified_folds(cases, n, seed)
    everything = sorted(c.case for c in cases)
    for fold in range(n):
        held, trained = folds.held_out(fold), folds.trained_on(fold)
        assert sorted([*held, *trained]) == everything
        patients = [{folds.patient_of[c] for c in side} for side in (held, trained)]
        assert patients[0] & patients[1] == set()
        assert len(patients[0]) in (len(counts) // n, -(-len(counts) // n))
    assert sorted(c for fold in range(n) for c in folds.held_out(fold)) == everything


def test_folds_have_alike_numbers_of_lesions():
    # Seven patients of each of five burdens: every fold gets one of each.
    folds = stratified_folds(cohort([0, 2, 5, 11, 60] * 7), 7, 3)
    lesions = {c.case: c.lesions for c in cohort([0, 2, 5, 11, 60] * 7)}
    for fold in range(7):
        assert sorted(lesions[c] for c in folds.held_out(fold)) == [0, 2, 5, 11, 60]


def test_the_seed_decides_and_the_order_of_cases_does_not():
    cases = cohort([3, 1, 4, 1, 5, 9, 2, 6])
    folds = stratified_folds(cases, 3, 1)
    assert stratified_folds(cases[::-1], 3, 1).fold_of == folds.fold_of
    assert any(stratified_folds(cases, 3, s).fold_of != folds.fold_of for s in range(2, 6))


@pytest.mark.parametrize("n", [1, 4])
def test_too_few_patients_are_refused(n):
    with pytest.raises(TrainingError) as caught:
        stratified_folds(cohort([1, 2, 3]), n)
    assert caught.value.code == "FOLDS"


def test_a_case_named_twice_is_refused():
    with pytest.raises(TrainingError, match="twice"):
        stratified_folds([FoldCase("a", "p", 1), FoldCase("a", "q", 1)], 2)
