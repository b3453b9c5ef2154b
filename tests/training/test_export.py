from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from imaging.geometry import Geometry
from imaging.model import ModelInput, ModelSpec
from training import precision
from training.cases import write_case
from training.checkpoint import new_state, save_checkpoint
from training.cohort import case_path
from training.declaration import read_declaration, write_declaration
from training.errors import TrainingError
from training.experiment import CohortSettings
from training.export import export_run
from training.inference import eager_predictor, scripted_predictor, slab_probability
from training.intake.splits import Splits, write_splits
from training.records import begin_run
from training.served import check_served, freeze_network, write_served
from training.triton import triton_config
from workers.inference.repository import load_known_answer
from workers.inference.torchscript import TorchScriptModel

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning"
)


@pytest.fixture
def run_folder(experiment, cases, tmp_path) -> Path:
    folder = Path(experiment.cohort.folder)
    folder.mkdir()
    for seed, case in zip((900, 901), cases, strict=False):
        write_case(case, case_path(folder, seed))
    run = tmp_path / "run"
    begin_run(run, experiment, ["toy-1"], ["toy-2"])
    save_checkpoint(new_state(experiment), run / "checkpoints" / "last.pt")
    return run


def test_declaration_round_trip(experiment, tmp_path):
    spec = dataclasses.replace(
        experiment.model_spec("ab" * 32), thresholds={"liver": 0.4}, slab_slices=64
    )
    write_declaration(spec, tmp_path / "osteon.json", {"tool": "test"})
    assert read_declaration(tmp_path / "osteon.json") == spec
    keys = set(json.loads((tmp_path / "osteon.json").read_text()))
    assert keys == {f.name for f in dataclasses.fields(ModelSpec)} | {"tool"}


def test_export_writes_what_serving_needs(run_folder, experiment, tmp_path):
    report = export_run(run_folder, tmp_path / "models", None)
    folder = tmp_path / "models" / "anatomy"
    spec = read_declaration(folder / "osteon.json")
    assert spec == experiment.model_spec(report.sha256)
    assert hashlib.sha256((folder / "1" / "model.pt").read_bytes()).hexdigest() == spec.sha256
    assert "Synthetic" in (folder / "MODEL_CARD.md").read_text().title()
    assert not list((tmp_path / "models").glob(".*"))
    served = TorchScriptModel(folder, threads=1)
    known = load_known_answer(folder, 1)
    assert known is not None
    assert known.places == served.known_answer.places
    np.testing.assert_allclose(known.samples, served.known_answer.samples, atol=1e-5)


def test_a_card_never_shows_the_numbers_of_another_file(run_folder, tmp_path):
    report = {"model_sha256": "00" * 32, "markdown": "perfect"}
    with pytest.raises(TrainingError, match="another model file"):
        export_run(run_folder, tmp_path / "models", report)
    assert not (tmp_path / "models" / "anatomy").exists()


def test_the_file_answers_as_the_network_at_any_fitting_shape(run_folder, experiment, tmp_path):
    export_run(run_folder, tmp_path / "models", None)
    network = new_state(experiment).average.eval()
    image = torch.rand(1, 2, 12, 24, 8)
    eager = eager_predictor(network, bf16=False)(image)
    path = tmp_path / "models" / "anatomy" / "1" / "model.pt"
    served = scripted_predictor(path, bf16=False)(image)
    torch.testing.assert_close(served, eager, atol=1e-5, rtol=0)
    torch.testing.assert_close(served.sum(1), torch.ones(1, 12, 24, 8))


def test_the_gate_refuses_a_file_of_another_network(experiment, tmp_path):
    trained = new_state(experiment).network.eval()
    with torch.no_grad():
        for value in trained.parameters():
            value.mul_(1.3)
    other = dataclasses.replace(experiment, fit=dataclasses.replace(experiment.fit, seed=9))
    example = torch.rand(1, 2, 4, 8, 8)
    write_served(freeze_network(new_state(other).network, example), tmp_path / "model.pt")
    with pytest.raises(TrainingError) as caught:
        check_served(tmp_path / "model.pt", trained, [example])
    assert caught.value.code == "EXPORT"


def test_slabs_join_to_the_whole(experiment):
    spec = experiment.model_spec()

    def predict(image):
        assert image.shape[2:] == (16, 8, 16)  # padded to the divisor
        first = (image[:, :1] > 0.5).float()
        return torch.cat([first] + [(1 - first) / 20] * 20, dim=1)

    image = np.random.default_rng(0).random((2, 30, 7, 9), dtype=np.float32)
    geometry = Geometry.axial((30, 7, 9), spec.spacing_mm, (0, 0, 0))
    probability = slab_probability(predict, spec, ModelInput(image, geometry))
    # Half precision, as serving adds slabs up.
    np.testing.assert_allclose(probability[0], image[0] > 0.5, atol=5e-4)
    np.testing.assert_allclose(probability.sum(0), 1, atol=2e-3)


def test_triton_reads_the_names_and_free_shapes(experiment):
    text = triton_config(experiment.model_spec())
    assert 'backend: "pytorch"' in text
    assert "version_policy { specific { versions: [ 1 ] } }" in text
    assert 'key: "DISABLE_OPTIMIZED_EXECUTION" value { string_value: "true" }' in text
    assert 'name: "INPUT__0" data_type: TYPE_FP32 dims: [ 2, -1, -1, -1 ]' in text
    assert 'name: "OUTPUT__0" data_type: TYPE_FP32 dims: [ 21, -1, -1, -1 ]' in text


def test_a_disease_network_gets_its_own_card_and_its_volume_is_gated(experiment, cases, tmp_path):
    disease = dataclasses.replace(experiment, name="disease", task="disease")
    folder = Path(disease.cohort.folder)
    folder.mkdir()
    for seed, case in zip((900, 901), cases, strict=False):
        lesions = dataclasses.replace(case, labels=case.labels.clip(max=1))
        write_case(lesions, case_path(folder, seed))
    begin_run(tmp_path / "run", disease, ["toy-1"], ["toy-2"])
    save_checkpoint(new_state(disease), tmp_path / "run" / "checkpoints" / "last.pt")
    with pytest.MonkeyPatch.context() as patched:
        # What an untrained network answers in bfloat16 is chance.
        patched.setattr(precision, "LARGEST_VOLUME_CHANGE_PERCENT", 200.0)
        report = export_run(tmp_path / "run", tmp_path / "models", None)
    assert set(report.dice_fp32) == {"disease"}
    assert set(report.volume_change_percent_bf16 or {"disease": 0}) == {"disease"}
    assert "**burden**" in (tmp_path / "models/disease/MODEL_CARD.md").read_text()


def test_a_model_of_a_users_cases_says_so_and_names_none(experiment, cases, tmp_path):
    own = dataclasses.replace(experiment, cohort=CohortSettings(experiment.cohort.folder))
    folder = Path(own.cohort.folder)
    folder.mkdir()
    for case in cases:
        write_case(case, folder / f"{case.name}.npz")
    write_splits(Splits({c.name: c.name for c in cases}, frozenset(["toy-2"])), folder)
    begin_run(tmp_path / "run", own, ["toy-1", "toy-3"], ["toy-2"])
    save_checkpoint(new_state(own), tmp_path / "run" / "checkpoints" / "last.pt")
    export_run(tmp_path / "run", tmp_path / "models", None)
    card = (tmp_path / "models/anatomy/MODEL_CARD.md").read_text()
    assert "Trained on cases of one site" in card
    assert "train cases: 2" in card
    assert "ynthetic patients only" not in card
    assert "toy" not in card + (tmp_path / "models/anatomy/osteon.json").read_text()
