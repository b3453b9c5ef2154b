from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.training.atlas.bodies import body_case
from training.atlas.cohort import atlas_plan, label_cohort, scan_times, softened
from training.atlas.soft_labels import read_soft_labels
from training.cases import write_case
from training.cli import app
from training.cohort import case_path
from training.errors import TrainingError
from training.experiment import AtlasSettings, CohortSettings, save_experiment
from training.intake.splits import Splits, cohort_cases, write_splits

SETTINGS = AtlasSettings("1-2", (5.0, 2.5, 2.5), 40, (6, 4), 1.0)


@pytest.fixture
def folder(tmp_path):
    cases = tmp_path / "cases"
    cases.mkdir()
    for seed in (1, 2, 3, 4):
        write_case(body_case(seed), case_path(cases, seed))
    return cases


def run(folder, settings=SETTINGS, seeds=(1, 3), workers=1):
    heard = []
    made = label_cohort(atlas_plan(folder, settings), names(seeds), workers, heard.append)
    assert made == len(heard)
    return sorted(int(name[-5:]) for name in heard)


def names(seeds):
    return [f"phantom-{seed:05d}" for seed in seeds]


def record(folder, seed):
    return json.loads(case_path(folder, seed).with_suffix(".soft.json").read_text())


def test_a_stopped_run_goes_on_and_an_atlas_is_never_its_own(folder):
    assert run(folder) == [1, 3]
    assert record(folder, 1)["atlases"] == ["phantom-00002"]
    assert record(folder, 3)["atlases"] == ["phantom-00001", "phantom-00002"]
    before = case_path(folder, 3).with_suffix(".soft.npz").stat().st_mtime_ns
    assert run(folder, seeds=(1, 3, 4)) == [4]
    assert case_path(folder, 3).with_suffix(".soft.npz").stat().st_mtime_ns == before
    # Killed between the labels and the record: made again.
    case_path(folder, 3).with_suffix(".soft.json").unlink()
    assert run(folder, seeds=(1, 3, 4)) == [3]


def test_other_atlases_or_another_registration_are_another_recipe(folder):
    run(folder)
    assert run(folder, dataclasses.replace(SETTINGS, seeds="1-2,4")) == [1, 3]
    more = dataclasses.replace(SETTINGS, seeds="1-2,4", demons_iterations=(8, 4))
    assert run(folder, more) == [1, 3]
    assert record(folder, 3)["recipe"]["registration"]["demons_iterations"] == [8, 4]


def test_processes_and_one_process_give_equal_labels_and_times(folder):
    run(folder, seeds=(3,))
    alone = read_soft_labels(case_path(folder, 3).with_suffix(".soft.npz")).dense(21)
    for suffix in (".soft.npz", ".soft.json"):
        case_path(folder, 3).with_suffix(suffix).unlink()
    run(folder, seeds=(3, 4), workers=2)
    beside = read_soft_labels(case_path(folder, 3).with_suffix(".soft.npz")).dense(21)
    assert np.array_equal(alone, beside)
    times = scan_times(atlas_plan(folder, SETTINGS), names((3, 4)))
    assert len(times) == 2
    assert all(t.wall_s > 0 for t in times)


def test_cases_get_their_soft_labels_and_forget_the_truth(folder):
    run(folder, seeds=(3,))
    plan = atlas_plan(folder, SETTINGS)
    case = body_case(3)
    (soft,) = softened(plan, [case])
    assert soft.soft is not None
    assert np.array_equal(soft.labels, soft.soft.dense(21).argmax(axis=0))
    assert not np.array_equal(soft.labels, case.labels)
    with pytest.raises(TrainingError, match="osteon train atlas") as caught:
        softened(plan, [body_case(4)])
    assert caught.value.code == "SOFT_LABELS"
    other = atlas_plan(folder, dataclasses.replace(SETTINGS, seeds="1-2,4"))
    with pytest.raises(TrainingError, match="osteon train atlas"):
        softened(other, [case])
    smaller = dataclasses.replace(case, labels=case.labels[1:])
    with pytest.raises(TrainingError, match="prepared again"):
        softened(plan, [smaller])


def test_what_cannot_be_done_is_said(folder):
    with pytest.raises(TrainingError, match="phantom-00007") as caught:
        run(folder, seeds=(3, 7))
    assert caught.value.code == "NO_CASES"
    with pytest.raises(TrainingError) as caught:
        run(folder, dataclasses.replace(SETTINGS, seeds="3"), seeds=(3,))
    assert caught.value.code == "ATLASES"
    with pytest.raises(TrainingError) as caught:
        atlas_plan(folder, dataclasses.replace(SETTINGS, seeds="1,1004"))
    assert caught.value.code == "TEST_SEEDS"
    with pytest.raises(TrainingError) as caught:
        atlas_plan(folder, dataclasses.replace(SETTINGS, seeds=""))
    assert caught.value.code == "ATLASES"


def test_a_users_cases_are_labelled_by_the_atlases_they_name(folder, experiment, tmp_path):
    for seed, name in ((1, "ward-a"), (2, "ward-b"), (3, "ward-c"), (4, "ward-d")):
        case_path(folder, seed).rename(folder / f"{name}.npz")
    patients = {f"ward-{letter}": f"p{letter}" for letter in "abcd"}
    write_splits(Splits(patients, frozenset({"pd"})), folder)
    atlas = dataclasses.replace(SETTINGS, seeds="", cases=("ward-a", "ward-b"))
    cohort = CohortSettings(str(folder))
    config = tmp_path / "e.yaml"
    save_experiment(
        dataclasses.replace(experiment, labels="soft", cohort=cohort, atlas=atlas), config
    )
    shown = CliRunner().invoke(app, ["atlas", "-c", str(config), "--workers", "1"])
    assert shown.exit_code == 0, shown.output
    assert "3 of 3 scans labelled now" in shown.output
    train, held_out = cohort_cases(cohort, folder)
    soft = softened(atlas_plan(folder, atlas), train)
    assert [case.name for case in soft] == ["ward-a", "ward-b", "ward-c"]
    assert [case.name for case in held_out] == ["ward-d"]
    assert not (folder / "ward-d.soft.npz").exists()


def test_the_command_says_what_a_scan_took(folder, experiment, tmp_path):
    config = tmp_path / "e.yaml"
    cohort = dataclasses.replace(experiment.cohort, folder=str(folder), train_seeds="3-4")
    save_experiment(dataclasses.replace(experiment, cohort=cohort, atlas=SETTINGS), config)
    arguments = ["atlas", "-c", str(config), "--atlases", "1-2,4", "--seeds", "3", "--workers", "1"]
    shown = CliRunner().invoke(app, arguments)
    assert shown.exit_code == 0, shown.output
    assert "1 of 1 scans labelled now" in shown.output
    assert record(folder, 3)["atlases"] == ["phantom-00001", "phantom-00002", "phantom-00004"]
