import json
from pathlib import Path

import pytest

from training.cases import write_case
from training.errors import TrainingError
from training.experiment import CohortSettings
from training.intake.splits import (
    Splits,
    cohort_cases,
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
