from __future__ import annotations

from pathlib import Path

import pytest

from training.errors import TrainingError
from training.experiment import load_experiment, save_experiment
from training.seeds import TEST_SEEDS, parse_seeds

# A focal experiment has a form of its own: tests/training/focal/test_settings.py.
SHIPPED = sorted(
    path
    for path in (Path(__file__).parents[2] / "training" / "experiments").glob("*.yaml")
    if "focal" not in path.stem
)


def test_resolved_copy_reads_back_equal(experiment, tmp_path):
    save_experiment(experiment, tmp_path / "config.yaml")
    assert load_experiment(tmp_path / "config.yaml") == experiment


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.stem)
def test_shipped_experiments_are_valid_and_leave_the_test_seeds_alone(path):
    cohort = load_experiment(path).cohort
    seeds = {*parse_seeds(cohort.train_seeds), *parse_seeds(cohort.validation_seeds)}
    assert not seeds & set(TEST_SEEDS)
    assert not set(parse_seeds(cohort.train_seeds)) & set(parse_seeds(cohort.validation_seeds))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("fitt: {steps: 3}", "unknown keys fitt"),
        ("fit: {steps: many}", "steps must be int"),
        ("fit: {patch: [48, 96]}", "shorter"),
        ("fit: {patch: [40, 96, 160]}", "multiples"),
    ],
)
def test_a_wrong_yaml_is_refused_with_the_place(tmp_path, change, said):
    path = tmp_path / "e.yaml"
    cohort = "cohort: {folder: x, train_seeds: '1', validation_seeds: '2'}"
    path.write_text(f"name: a\nversion: '1'\n{cohort}\n{change}\n")
    with pytest.raises(TrainingError, match=said) as caught:
        load_experiment(path)
    assert caught.value.code == "EXPERIMENT"
