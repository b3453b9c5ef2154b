"""The whole table on toy bodies: everything but the phantoms is real."""

from __future__ import annotations

import dataclasses
import json

import pytest
from typer.testing import CliRunner

from tests.training.atlas.bodies import body_case
from training.cases import write_case
from training.cli import app
from training.cohort import case_path
from training.errors import TrainingError
from training.experiment import (
    AtlasSettings,
    CohortSettings,
    load_experiment,
    save_experiment,
)
from training.reproduction import anatomy, tables
from training.reproduction.anatomy import reproduce_anatomy
from training.reproduction.scans import Answer, ScanResult
from training.scoring.structures import score_structures
from training.timing import timed

SPACING = (5.0, 2.5, 2.5)


@pytest.fixture
def toy(experiment):
    return dataclasses.replace(
        experiment,
        labels="soft",
        cohort=CohortSettings("elsewhere", "3-4", "900", evaluation_seeds="1000-1001"),
        atlas=AtlasSettings("1-2", SPACING, 40, (6, 4), 1.0),
        fit=dataclasses.replace(experiment.fit, steps=3, log_steps=1),
    )


@pytest.fixture
def config(toy, tmp_path):
    path = tmp_path / "toy.yaml"
    save_experiment(toy, path)
    return path


@pytest.fixture
def bodies(monkeypatch):
    """Toy bodies in place of phantoms; the scans are measured in this process."""
    made = []

    def prepare(cohort, recipe, workers, on_case):
        del recipe, workers
        cohort.folder.mkdir(parents=True, exist_ok=True)
        for seed in cohort.missing():
            write_case(body_case(seed), case_path(cohort.folder, seed))
            made.append(seed)
            on_case(seed)

    def measure(experiment, out, on_progress):
        del experiment
        on_progress("measuring all", 1.0)
        _, methods, made_by = anatomy._methods(out)
        return [measured(seed, methods, made_by) for seed in (1000, 1001)]

    monkeypatch.setattr(anatomy, "prepare_cohort", prepare)
    monkeypatch.setattr(anatomy, "_measure", measure)
    return made


def measured(seed, methods, made_by):
    case = body_case(seed)
    given = case.model_input
    answers = {}
    for title, method in methods.items():
        shares, time = timed(lambda method=method: method(given))
        labels = shares.argmax(axis=0).astype("uint8")
        scores = score_structures(case.labels, labels, given.array[0], given.geometry)
        answers[title] = Answer(scores, time)
    return ScanResult(case.name, made_by, answers)


def test_the_table_is_made_from_nothing_and_made_again_from_what_is_there(config, bodies, tmp_path):
    out = tmp_path / "out"
    heard = []
    table = reproduce_anatomy(config, out, 1, lambda stage, done: heard.append((stage, done)))
    assert (out / "anatomy.md").read_text() == table
    assert bodies == [1, 2, 3, 4, 900]
    stages = [stage.split(",")[0] for stage, _ in heard]
    assert list(dict.fromkeys(stages)) == [
        "making patients",
        "soft labels by atlas",
        "training on soft labels",
        "training on majority labels",
        "measuring all",
    ]
    (atlas,) = [line for line in table.splitlines() if line.startswith("| atlas")]
    assert float(atlas.split("|")[4].split()[0]) > 0.85  # organs, mean Dice
    steps = [(out / "runs" / kind / "metrics.jsonl").read_text() for kind in ("soft", "majority")]
    assert steps[0] != steps[1]
    assert load_experiment(out / "runs" / "majority" / "config.yaml").labels == "majority"
    again = reproduce_anatomy(config, out, 1, lambda *_: None)
    assert bodies == [1, 2, 3, 4, 900]
    for text, kind in zip(steps, ("soft", "majority"), strict=True):
        assert (out / "runs" / kind / "metrics.jsonl").read_text() == text
    assert scores_of(again) == scores_of(table)


class Stopped(BaseException):
    """What Ctrl-C is to the command."""


@pytest.mark.parametrize("stage", ["soft labels", "training on soft", "training on majority"])
def test_a_stopped_table_goes_on_and_comes_out_as_an_unbroken_one(config, bodies, tmp_path, stage):
    def stop(heard, done):
        if heard.startswith(stage) and done > 0.3:
            raise Stopped

    whole = reproduce_anatomy(config, tmp_path / "whole", 1, lambda *_: None)
    with pytest.raises(Stopped):
        reproduce_anatomy(config, tmp_path / "out", 1, stop)
    resumed = reproduce_anatomy(config, tmp_path / "out", 1, lambda *_: None)
    assert scores_of(resumed) == scores_of(whole)
    for kind in ("soft", "majority"):
        curves = [curve(tmp_path / out / "runs" / kind) for out in ("whole", "out")]
        assert curves[0] == curves[1]
        assert len(curves[0]) == 3
    assert bodies == [1, 2, 3, 4, 900] * 2


@pytest.mark.usefixtures("bodies")
def test_networks_trained_side_by_side_are_those_trained_one_after_the_other(config, tmp_path):
    heard = []
    alone = reproduce_anatomy(config, tmp_path / "alone", 1, lambda *_: None)
    together = reproduce_anatomy(config, tmp_path / "both", 2, lambda *step: heard.append(step))
    assert scores_of(together) == scores_of(alone)
    for kind in ("soft", "majority"):
        curves = [curve(tmp_path / out / "runs" / kind) for out in ("alone", "both")]
        assert curves[0] == curves[1]
    shown = [done for stage, done in heard if stage.startswith("training on soft and majority")]
    assert shown
    assert shown == sorted(shown)


def curve(run):
    lines = (run / "metrics.jsonl").read_text().splitlines()
    return [(row["step"], row["loss"]) for row in map(json.loads, lines)]


def scores_of(table):
    """Every cell but the times."""
    rows = [line for line in table.splitlines() if line.startswith(("| atlas", "| network"))]
    assert len(rows) == 3
    return [row.split("|")[1:9] for row in rows]


def test_a_folder_of_another_experiment_is_left_alone(config, toy, bodies, tmp_path):
    out = tmp_path / "out"
    reproduce_anatomy(config, out, 1, lambda *_: None)
    save_experiment(dataclasses.replace(toy, note="another"), config)
    with pytest.raises(TrainingError, match="another experiment") as caught:
        reproduce_anatomy(config, out, 1, lambda *_: None)
    assert caught.value.code == "REPRODUCTION"
    assert bodies == [1, 2, 3, 4, 900]


@pytest.mark.parametrize("where", ["train_seeds", "validation_seeds"])
def test_patients_that_were_trained_on_are_not_measured(config, toy, tmp_path, where):
    cohort = dataclasses.replace(toy.cohort, evaluation_seeds="77-78", **{where: "60-77"})
    save_experiment(dataclasses.replace(toy, cohort=cohort), config)
    with pytest.raises(TrainingError, match="77"):
        reproduce_anatomy(config, tmp_path / "out", 1, lambda *_: None)


def test_hard_labels_are_refused(config, toy, tmp_path):
    save_experiment(dataclasses.replace(toy, labels="hard"), config)
    with pytest.raises(TrainingError, match="not soft"):
        reproduce_anatomy(config, tmp_path / "out", 1, lambda *_: None)


def test_the_command_prints_the_table_and_knows_its_names(monkeypatch, tmp_path):
    asked = []

    def made(config, out, workers, on_progress):
        asked.append((config.name, out, workers))
        on_progress("training", 0.5)
        return "| the table |"

    monkeypatch.setitem(tables.TABLES, "anatomy", made)
    arguments = ["reproduce", "anatomy", "-o", str(tmp_path), "--workers", "1"]
    shown = CliRunner().invoke(app, arguments)
    assert "| the table |" in shown.output
    assert asked == [("reproduce_anatomy_small.yaml", tmp_path, 1)]
    assert all(path.exists() for path in map(preset_path, tables.PRESETS))
    for wrong in (["reproduce", "liver"], ["reproduce", "anatomy", "--preset", "huge"]):
        failed = CliRunner().invoke(app, [*wrong, "-o", str(tmp_path)])
        assert isinstance(failed.exception, TrainingError)
        assert failed.exception.code == "REPRODUCTION"


def preset_path(name):
    return tables._EXPERIMENTS / f"reproduce_anatomy_{name}.yaml"
