"""A focal run becomes a served model: threshold, gate, declaration, card; and is examined."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch

from imaging.model import ModelInput
from tests.training.focal.conftest import BLOCKS, toy_case
from training.cases import write_case
from training.commands import export
from training.errors import TrainingError
from training.focal.cases import Wanted
from training.focal.exam_table import exam_table
from training.focal.export import export_focal, is_focal
from training.focal.pretraining import as_initialised, fine_tune, pretrain
from training.focal.threshold import choose_on
from training.scoring.case import CaseResult
from training.scoring.lesions import score_lesions
from workers.inference.torchscript import TorchScriptModel

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning"
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A fine-tuned toy network, and cases of two validation patients beside it."""
    return tmp_path_factory.mktemp("focal") / "focal-1"


@pytest.fixture
def fitted(run, experiment, cases):
    cohort = dataclasses.replace(experiment.cohort, validation_seeds="3201-3202")
    told = as_initialised(dataclasses.replace(experiment, cohort=cohort), "random")
    if not run.exists():
        fine_tune(told, cases, {}, run / "random", lambda *_: None)
        (run / "cases").mkdir()
        for seed in (3201, 3202):
            patient = Wanted(seed, diseased=True)
            write_case(toy_case(seed), patient.path(run / "cases"))
    return run


def test_a_focal_run_is_exported_as_every_network_is(fitted, tmp_path):
    assert is_focal(fitted)
    report = export(fitted, tmp_path, None)
    folder = tmp_path / "focal"
    names = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    assert names == {"1/model.pt", "osteon.json", "config.pbtxt", "MODEL_CARD.md"}
    assert report["largest_difference"] <= 1e-4
    assert report["megabytes"] < 25
    declared = json.loads((folder / "osteon.json").read_text())
    assert declared["classes"] == ["background", "lesion"]
    assert [c["quantity"] for c in declared["channels"]] == ["t1", "b1000"]
    assert 0 < declared["thresholds"]["lesion"] < 1
    card = (folder / "MODEL_CARD.md").read_text()
    assert "no burden" in card
    assert "3201-3202" in card
    assert "## Threshold" in card


def test_the_card_says_what_skeleton_the_pretraining_learned(experiment, cases, tmp_path):
    cohort = dataclasses.replace(
        experiment.cohort, validation_seeds="3201-3202", skeleton_seeds="3301"
    )
    told = as_initialised(dataclasses.replace(experiment, cohort=cohort), "sap")
    begin = pretrain(told, cases, tmp_path, lambda *_: None)
    fine_tune(told, cases, begin, tmp_path / "sap", lambda *_: None)
    (tmp_path / "cases").mkdir()
    for patient in (Wanted(3201, True), Wanted(3202, True), Wanted(3301, False)):
        write_case(toy_case(patient.seed), patient.path(tmp_path / "cases"))
    export(tmp_path, tmp_path / "models", None)
    declared = json.loads((tmp_path / "models" / "focal" / "osteon.json").read_text())
    said = declared["trained_on"]["skeleton_dice"]
    assert said.startswith("skeleton 0.")
    assert ", cervical 0." in said
    assert "thoracic" not in said  # nobody here has one
    assert "1 healthy people not fitted, seeds 3301" in said


def test_serving_loads_it_and_answers_as_the_run_did(fitted, tmp_path):
    export_focal(fitted, tmp_path, None)
    model = TorchScriptModel(tmp_path / "focal", 1)
    given = toy_case(7).model_input
    answer = model.predict(ModelInput(given.array, given.geometry), lambda _: None)
    assert answer.shape == (2, *given.geometry.shape)
    assert answer.sum(axis=0) == pytest.approx(np.ones(given.geometry.shape), abs=0.01)


def test_another_evaluation_is_kept_off_the_card(fitted, tmp_path):
    with pytest.raises(TrainingError, match="another model file"):
        export_focal(fitted, tmp_path, {"model_sha256": "0"})
    assert list(tmp_path.iterdir()) == []


def test_a_run_without_validation_patients_is_refused(experiment, cases, tmp_path):
    fine_tune(as_initialised(experiment, "random"), cases, {}, tmp_path / "random", lambda *_: None)
    with pytest.raises(TrainingError, match="validation_seeds"):
        export_focal(tmp_path, tmp_path / "models", None)


def test_the_threshold_is_the_one_with_the_best_f2(experiment):
    """Blocks have the probability 0.62, a false one 0.42: from 0.45 to 0.60 all is right."""
    case = toy_case(1)
    given = torch.zeros(case.labels.shape)
    for block in BLOCKS:
        given[tuple(slice(*b) for b in block)] = 0.62
    given[8:11, 8:11, 18:21] = 0.42

    def predict(image):
        shape = image.shape[2:]
        padded = torch.zeros(shape)
        padded[: given.shape[0], : given.shape[1], : given.shape[2]] = given
        return torch.stack([1 - padded, padded])[None]

    spec = dataclasses.replace(experiment.model_spec(), slab_slices=64)
    chosen = choose_on([case], predict, spec)
    assert chosen["lesion"] == pytest.approx(0.60)
    assert chosen["mean_f2"] == 1.0
    assert "| 0.4 |" in chosen["markdown"]


def test_the_card_s_table_counts_all_and_measurable_lesions():
    case = toy_case(1)
    truth, grid = case.labels > 0, case.model_input.geometry
    found = truth.copy()
    found[16, 4:6, 18:20] = False  # the small one is missed
    found[8:12, 8:12, 18:22] = True  # 5.1 mL that is none
    scored = score_lesions(truth, found, found.astype(np.float32), grid)
    result = CaseResult(
        "a", "a", {}, "focal", scored, None, 1.0, 1.0, None, None, False, 2.0, 0.1, False
    )
    table = exam_table([result], "1100")
    assert "3 lesions, 2 of them ≥ 1 mL" in table
    (row,) = (line for line in table.splitlines() if line.startswith("| sensitivity"))
    assert row.split("|")[2].strip().startswith("0.667")
    assert row.split("|")[3].strip().startswith("1.000")
    assert "| 1 | 2 | 1.000 | 3 | 0.667 | 1.00 |" in table
