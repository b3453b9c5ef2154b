"""The whole table on toy bodies: everything but the phantoms is real."""

from __future__ import annotations

import dataclasses
import json

import pytest
from typer.testing import CliRunner

from tests.training.focal.conftest import BLOCKS, toy_case
from training.cases import write_case
from training.cli import app
from training.errors import TrainingError
from training.focal import reproduce
from training.focal.cases import Wanted, prepare_focal, wanted
from training.focal.planted import Planted
from training.focal.pretraining import fit_focal
from training.focal.settings import save_focal
from training.reproduction.tables import reproduce_table


def _toy(experiment, patient):
    del experiment
    planted = Planted(5, (3.0, 2.0, 0.9, 0.1), (0.1,))
    if not patient.diseased:
        case = toy_case(patient.seed, ())
        case.labels[4:10, 6:12, 6:12] = 1 + patient.seed % 9
        return case, planted
    return dataclasses.replace(toy_case(patient.seed, BLOCKS), name=patient.name), planted


@pytest.fixture
def config(experiment, tmp_path, monkeypatch):
    monkeypatch.setattr("training.focal.cases.focal_scan", _toy)
    cohort = dataclasses.replace(experiment.cohort, skeleton_seeds="3002-3003")
    save_focal(dataclasses.replace(experiment, cohort=cohort), tmp_path / "toy.yaml")
    return tmp_path / "toy.yaml"


def test_the_table_is_made_from_nothing_and_the_second_time_from_what_is_there(config, tmp_path):
    heard = []
    table = reproduce_table("focal", config, tmp_path / "out", 1, lambda s, _: heard.append(s))
    for title in ("NSD 3 mm", "Dice of detected", "F2", "sensitivity ≥ 1 mL", "FP per exam ≥ 1 mL"):
        assert title in table
    assert "| number | SAP | SSL | random |" in table
    assert "n = 4, 12 lesions" in table
    assert "Ordering as it came out" in table
    assert "planned 20 lesions and painted 16 on the images' voxels; 4 of these fill" in table
    assert "(1.7 % of the volume, the largest 0.10 mL). The others are 12 components" in table
    assert "mean over 2 healthy people who were not fitted" in table
    rows = [line for line in table.splitlines() if line.startswith(("| skeleton |", "| pelvis |"))]
    assert "[" in rows[0]  # two people, an interval
    assert "| NSD 3 mm of detected lesions | sap | ssl |" in table
    assert "| F2 | sap | random |" in table
    assert any(s.startswith("pre-training, sap") for s in heard)
    assert any(s.startswith("lesions, random/fold-1") for s in heard)
    out = tmp_path / "out"
    assert (out / "focal.md").read_text(encoding="utf-8") == table
    assert set(json.loads((out / "focal.json").read_text(encoding="utf-8"))) == {
        "sap",
        "ssl",
        "random",
    }
    loaded = json.loads((out / "sap" / "fold-0" / "loaded.json").read_text(encoding="utf-8"))
    assert loaded["tensors"]["encoder"] > 0
    again = []
    repeated = reproduce_table("focal", config, out, 1, lambda s, _: again.append(s))
    assert repeated == table
    assert again == []


class Stopped(BaseException):
    """What Ctrl-C is to the command."""


@pytest.mark.parametrize("stage", ["pre-training, sap", "lesions, ssl/fold-1"])
def test_a_stopped_table_goes_on_and_comes_out_as_an_unbroken_one(config, tmp_path, stage):
    def stop(heard, done):
        if heard.startswith(stage) and done > 0:
            raise Stopped

    whole = reproduce_table("focal", config, tmp_path / "whole", 1, lambda *_: None)
    with pytest.raises(Stopped):
        reproduce_table("focal", config, tmp_path / "out", 1, stop)
    resumed = reproduce_table("focal", config, tmp_path / "out", 1, lambda *_: None)
    assert _numbers(resumed) == _numbers(whole)
    written = [(tmp_path / o / "focal.json").read_text(encoding="utf-8") for o in ("whole", "out")]
    exams = [[e["lesions"] for k in json.loads(t).values() for e in k["exams"]] for t in written]
    assert exams[0] == exams[1]


def _numbers(table):
    """Every line but the one that says how long fitting took."""
    return [line for line in table.splitlines() if not line.startswith("Minutes")]


def test_a_folder_of_another_experiment_is_refused(experiment, tmp_path):
    reproduce._begin(experiment, tmp_path / "out")
    with pytest.raises(TrainingError, match="another experiment"):
        reproduce._begin(dataclasses.replace(experiment, seed=2), tmp_path / "out")


def test_one_network_by_the_switch_alone(config, experiment, tmp_path):
    save_focal(dataclasses.replace(experiment, initialisation="ssl"), config)
    loaded = fit_focal(config, tmp_path / "run", 1, "cpu", lambda *_: None)
    assert set(loaded.tensors) == {"encoder"}
    assert (tmp_path / "run" / "ssl" / "last.pt").exists()
    assert (tmp_path / "run" / "ssl" / "metrics.jsonl").exists()
    assert not (tmp_path / "run" / "pretraining" / "sap").exists()


def test_patients_that_are_there_are_left_alone(experiment, tmp_path, monkeypatch):
    monkeypatch.setattr("training.focal.cases.focal_scan", _toy)
    write_case(toy_case(1), Wanted(3101, diseased=True).path(tmp_path))
    made = []
    assert prepare_focal(experiment, tmp_path, 1, made.append) == 4
    assert 3101 not in made


def test_patients_kept_for_evaluation_are_refused(experiment):
    cohort = dataclasses.replace(experiment.cohort, diseased_seeds="1000-1003")
    with pytest.raises(TrainingError) as caught:
        wanted(dataclasses.replace(experiment, cohort=cohort))
    assert caught.value.code == "TEST_SEEDS"


def test_the_command_makes_a_network_and_says_what_came_over(config, tmp_path):
    done = CliRunner().invoke(
        app,
        ["focal", str(tmp_path / "run"), "-c", str(config), "--device", "cpu", "--workers", "1"],
    )
    assert done.exit_code == 0, done.output
    assert "tensors of the encoder" in done.output
    assert "tensors of the decoder" in done.output
    assert (tmp_path / "run" / "sap" / "last.pt").exists()
