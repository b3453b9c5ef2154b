import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from training.cases import write_case
from training.errors import TrainingError
from training.experiment import CohortSettings, load_experiment
from training.intake.splits import (
    Splits,
    cohort_cases,
    cohort_names,
    read_splits,
    split_patients,
    write_splits,
)

CASES = {f"case-{n:02d}": f"patient-{n // 2:02d}" for n in range(60)}


def test_no_patient_is_on_both_sides_and_about_a_fifth_is_held_out():
    splits = split_patients(Splits(), CASES, seed=1)
    sides = [{CASES[c] for c in side} for side in (splits.train, splits.validation)]
    assert not sides[0] & sides[1]
    assert sorted(splits.train + splits.validation) == sorted(CASES)
    assert 2 <= len(sides[1]) <= 12
    assert splits == split_patients(Splits(), dict(reversed(CASES.items())), seed=1)
    assert splits.held_out != split_patients(Splits(), CASES, seed=2).held_out


def test_patients_who_come_later_move_nobody(tmp_path):
    first = split_patients(Splits(), dict(list(CASES.items())[:20]), seed=1)
    write_splits(first, tmp_path)
    grown = split_patients(read_splits(tmp_path), CASES, seed=7)
    assert set(first.train) <= set(grown.train)
    assert set(first.validation) <= set(grown.validation)


@pytest.mark.parametrize("seed", range(8))
def test_two_patients_are_enough_for_two_sides(seed):
    splits = split_patients(Splits(), {"a": "one", "b": "two"}, seed)
    assert len(splits.train) == len(splits.validation) == 1
    alone = split_patients(Splits(), {"a": "one"}, seed)
    assert len(alone.train) + len(alone.validation) == 1


def test_a_cohort_without_seeds_is_what_the_splits_name(cases, tmp_path):
    for case in cases:
        write_case(case, tmp_path / f"{case.name}.npz")
    write_splits(Splits({c.name: c.name for c in cases}, frozenset(["toy-2"])), tmp_path)
    trained, held_out = cohort_cases(CohortSettings(str(tmp_path)), tmp_path)
    assert [c.name for c in trained] == ["toy-1", "toy-3"]
    assert [c.name for c in held_out] == ["toy-2"]


def test_nothing_prepared_and_a_broken_file_are_said(tmp_path):
    with pytest.raises(TrainingError, match="prepare --data") as caught:
        cohort_cases(CohortSettings(str(tmp_path)), tmp_path)
    assert caught.value.code == "NO_CASES"
    (tmp_path / "splits.json").write_text(json.dumps({"validation": ["x"]}))
    with pytest.raises(TrainingError, match="not a split by patients") as caught:
        read_splits(Path(tmp_path))
    assert caught.value.code == "SPLITS"


def prepared(cases, folder):
    """Six cases of three patients."""
    names = {f"{p}{n}": p for p in "abc" for n in (1, 2)}
    for name in names:
        write_case(dataclasses.replace(cases[0], name=name), folder / f"{name}.npz")
    write_splits(Splits(names, frozenset(["c"])), folder)
    return names


def test_every_patient_is_held_out_by_one_fold_and_trained_on_by_the_others(cases, tmp_path):
    patient_of = prepared(cases, tmp_path)
    held_out = []
    for number in (1, 2, 3):
        trained, out = cohort_names(CohortSettings(str(tmp_path), fold=f"{number}/3"), tmp_path)
        assert sorted([*trained, *out]) == sorted(patient_of)
        assert not {patient_of[c] for c in trained} & {patient_of[c] for c in out}
        held_out += out
    assert sorted(held_out) == sorted(patient_of)


def test_folds_of_disease_have_alike_numbers_of_lesions(cases, tmp_path):
    lesions = dict(zip("abcd", (4, 3, 1, 0), strict=True))
    for name, n in lesions.items():
        labels = np.zeros(cases[0].labels.shape, np.uint8)
        labels[2 : 2 + 4 * n : 4, 5, 5] = 1
        write_case(
            dataclasses.replace(cases[0], name=name, labels=labels), tmp_path / f"{name}.npz"
        )
    write_splits(Splits({n: n for n in lesions}, frozenset("d")), tmp_path)
    for number in (1, 2):
        _, out = cohort_names(CohortSettings(str(tmp_path), fold=f"{number}/2"), tmp_path)
        assert len(set(out) & {"a", "b"}) == 1


@pytest.mark.parametrize("fold", ["0/3", "4/3", "1/9", "first", "1/1"])
def test_a_fold_that_cannot_be_is_refused(cases, tmp_path, fold):
    prepared(cases, tmp_path)
    with pytest.raises(TrainingError) as caught:
        cohort_names(CohortSettings(str(tmp_path), fold=fold), tmp_path)
    assert caught.value.code == "FOLDS"


def test_synthetic_patients_are_not_folded(tmp_path):
    path = tmp_path / "e.yaml"
    path.write_text("name: a\nversion: '1'\ncohort: {folder: x, train_seeds: '1', fold: 1/2}\n")
    with pytest.raises(TrainingError, match=r"cohort\.fold") as caught:
        load_experiment(path)
    assert caught.value.code == "EXPERIMENT"
