"""A body model that is held out of training stays out, by every way in."""

from __future__ import annotations

import dataclasses

import pytest
from typer.testing import CliRunner

from dicom_objects.scanner.study import write_study
from phantom.acquisition import Protocol, acquire
from phantom.patient import HELD_OUT, BodyModelName, PatientOptions, make_patient
from tests.training.scored import case
from training import commands, evaluation
from training.body_models import case_name, population, refuse_held_out_cases
from training.cli import app
from training.cohort import Cohort, Recipe, prepare_cohort
from training.errors import TrainingError
from training.evaluation import Models, evaluate_cohort
from training.intake.class_map import ClassMap
from training.intake.study import studies_in, study_case
from training.phantoms import disease_case, phantom_case

CONTOURED = BodyModelName.CONTOURED


def test_no_case_is_made_of_it(experiment, tmp_path):
    spec = experiment.model_spec()
    recipe = Recipe(spec, body_model=CONTOURED)
    for attempt in (
        lambda: phantom_case(1, spec, CONTOURED),
        lambda: disease_case(1, spec, tmp_path, CONTOURED),
        lambda: prepare_cohort(Cohort(tmp_path / "cases", (1,)), recipe, 1, print),
    ):
        with pytest.raises(TrainingError, match="kept for evaluation") as refused:
            attempt()
        assert refused.value.code == "HELD_OUT_BODY"
    assert not (tmp_path / "cases").exists()


def test_nothing_is_fitted_on_its_cases(monkeypatch, experiment, tmp_path):
    held = dataclasses.make_dataclass("Held", ["name"])
    names = [case_name(1, BodyModelName.BEADED), case_name(1, CONTOURED)]
    monkeypatch.setattr(commands, "load_experiment", lambda _: experiment)
    monkeypatch.setattr(commands, "cohort_cases", lambda *_: ([held(n) for n in names], []))
    with pytest.raises(TrainingError, match="contoured-00001") as refused:
        commands.fit(tmp_path / "a.yaml", tmp_path / "run", None, False, print)
    assert refused.value.code == "HELD_OUT_BODY"
    assert not (tmp_path / "run").exists()


def test_no_case_is_made_of_a_study_of_it(monkeypatch, experiment, tmp_path):
    person = make_patient(2, PatientOptions(body_model=CONTOURED))
    scan = acquire(person, Protocol(slice_mm=20.0, in_plane_mm=8.0, matrix=(44, 60)))
    write_study(scan, tmp_path / "one", distractors=False)
    (study,) = studies_in(tmp_path)
    with pytest.raises(TrainingError) as refused:
        study_case(study, Recipe(experiment.model_spec()), ClassMap({}))
    assert refused.value.code == "HELD_OUT_BODY"
    write_study(dataclasses.replace(scan, body_model=BodyModelName.BEADED), tmp_path / "two")
    monkeypatch.setattr("training.intake.study.whole_body", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):  # the next step is reached
        study_case(studies_in(tmp_path)[1], Recipe(experiment.model_spec()), ClassMap({}))


def test_every_other_case_may_be_fitted():
    refuse_held_out_cases(["phantom-00001", "dicom-0123", "patient-contoured"])
    assert {CONTOURED} == HELD_OUT


def test_its_patients_are_evaluated_beside_the_others(monkeypatch, tmp_path):
    made = []

    def score(seed, _model, _disease, body):
        made.append((seed, body))
        return case(seed)

    monkeypatch.setattr(evaluation, "evaluate_patient", score)
    monkeypatch.setattr(evaluation, "load_model", lambda folder: folder)
    monkeypatch.setattr(evaluation, "fingerprint", lambda _: "f")
    for body in BodyModelName:
        evaluate_cohort(Models(tmp_path), (1,), tmp_path, 1, lambda _: None, body)
    assert made == [(1, body) for body in BodyModelName]
    files = {p.name for p in (tmp_path / "cases-f").iterdir()}
    assert files == {"phantom-00001.json", "contoured-00001.json"}
    assert len({population(body) for body in BodyModelName}) == len(BodyModelName)


def test_the_commands_take_a_body_model(monkeypatch, tmp_path):
    handed = []
    monkeypatch.setattr(commands, "evaluate", lambda *given: handed.append(given[-1]) or "table")
    asked = ["evaluate", str(tmp_path), "-o", str(tmp_path), "--seeds", "1"]
    for extra in ([], ["--body-model", "contoured"]):
        shown = CliRunner().invoke(app, asked + extra)
        assert shown.exit_code == 0, shown.output
    assert handed == [BodyModelName.BEADED, CONTOURED]
    refused = CliRunner().invoke(app, ["prepare", "--seeds", "1", "--body-model", "contoured"])
    assert refused.exception.code == "HELD_OUT_BODY"
