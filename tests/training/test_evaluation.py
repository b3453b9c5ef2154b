"""The path from a scan to a scored exam, with a network that knows the truth."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from imaging.adc import fit_adc
from imaging.anatomy import STRUCTURES
from imaging.burden import DISEASE_CLASSES
from imaging.model import Channel
from imaging.preprocessing import preprocess
from imaging.stations import assemble
from phantom.acquisition import Protocol, acquire
from phantom.patient import PatientOptions, make_patient
from tests.training.scored import case, exam, miss
from training import commands, evaluation
from training.assessment.files import read_declared
from training.cases import labels_on_grid
from training.cli import app
from training.declaration import write_declaration
from training.evaluation import (
    Models,
    ServedModel,
    evaluate_acquisition,
    evaluate_cohort,
    models_of,
)

COARSE = Protocol(slice_mm=10.0, in_plane_mm=4.0, matrix=(88, 120), noise=False)


@pytest.fixture(scope="module")
def acquisition():
    return acquire(make_patient(3, PatientOptions(lesion_count=6)), COARSE)


@pytest.fixture
def oracle(acquisition, experiment):
    """A model of 10 x 4 x 4 mm voxels that answers with the truth."""
    spec = dataclasses.replace(
        experiment.model_spec(), spacing_mm=(10.0, 4.0, 4.0), slab_slices=256, slab_overlap=0
    )
    volume = assemble(acquisition.stations).volume
    grid = preprocess(fit_adc(volume), volume.geometry, spec).geometry
    truth = acquisition.truth
    labels = labels_on_grid(truth.labels, truth.geometry, grid)

    def predict(image):
        answer = np.zeros((len(STRUCTURES), *image.shape[2:]), np.float32)
        k, j, i = labels.shape
        np.put_along_axis(answer[:, :k, :j, :i], labels[None].astype(np.int64), 1.0, axis=0)
        return torch.from_numpy(answer)[None]

    return ServedModel(spec, predict, bf16=False)


def test_the_truth_scores_as_the_truth(acquisition, oracle):
    found = evaluate_acquisition("a", acquisition, oracle)
    assert found.structures["skeleton"].dice > 0.95
    assert found.structures["liver"].dice > 0.97
    assert found.structures["liver"].surface_distance_mm < 0.5
    assert found.structures["liver"].adc_um2_s == pytest.approx(
        found.structures["liver"].true_adc_um2_s, rel=0.02
    )
    true_ml = sum(le.volume_ml for le in found.lesions.lesions)
    assert true_ml == pytest.approx(found.true_tdv_ml) == pytest.approx(acquisition.truth.tdv_ml)
    assert sum(p.volume_ml for p in found.lesions.predictions) == pytest.approx(found.tdv_ml)
    assert found.disease.volume_ml == pytest.approx(found.tdv_ml)
    # The rule asks every component for a peak of 1.3 times the threshold.
    assert all(p.confidence >= 1.3 - 1e-4 for p in found.lesions.predictions)
    assert any(le.detected for le in found.lesions.lesions)
    assert "disease rule" in found.lesion_source
    assert found.scoring_seconds > 0


def test_a_disease_network_takes_the_place_of_the_rule(acquisition, oracle):
    channels = (Channel("normalised_high_b", "fixed", 1.0, 6.0),)
    spec = dataclasses.replace(oracle.spec, channels=channels, classes=DISEASE_CLASSES)

    def bright(image):
        disease = (image[:, :1] > 1.2).float()
        return torch.cat([1 - disease, disease], 1)

    network = ServedModel(spec, bright, bf16=False)
    found = evaluate_acquisition("a", acquisition, oracle, network)
    assert "disease network" in found.lesion_source
    assert found.tdv_ml != evaluate_acquisition("a", acquisition, oracle).tdv_ml
    assert all(p.confidence <= 1.0 + 1e-6 for p in found.lesions.predictions)


def test_a_disease_network_is_evaluated_with_the_anatomy_beside_it(oracle, tmp_path):
    for name, classes in (("anatomy", oracle.spec.classes), ("disease", DISEASE_CLASSES)):
        (tmp_path / name).mkdir()
        spec = dataclasses.replace(oracle.spec, name=name, classes=classes)
        write_declaration(spec, tmp_path / name / "osteon.json", {})
    anatomy, disease = tmp_path / "anatomy", tmp_path / "disease"
    assert models_of(disease) == Models(anatomy, disease)
    assert models_of(anatomy) == Models(anatomy)


def test_exams_that_were_scored_are_kept(monkeypatch, tmp_path):
    made = []

    def score(seed, model, disease, body):
        assert body == "beaded"
        made.append((seed, model, disease))
        return case(seed)

    monkeypatch.setattr(evaluation, "evaluate_patient", score)
    monkeypatch.setattr(evaluation, "load_model", lambda folder: folder)
    monkeypatch.setattr(evaluation, "fingerprint", lambda _: "f")
    for seeds in ((1,), (1, 2)):
        found = evaluate_cohort(Models(tmp_path), seeds, tmp_path, 1, lambda _: None)
        assert found == [case(s) for s in seeds]
    assert made == [(1, tmp_path, None), (2, tmp_path, None)]


def test_the_commands_evaluate_and_compare(monkeypatch, tmp_path):
    (tmp_path / "model").mkdir()
    declaration = json.dumps({"name": "anatomy"})
    (tmp_path / "model" / "osteon.json").write_text(declaration)
    spec = type(
        "Spec",
        (),
        {"sha256": "ab" * 32, "thresholds": {"disease": 0.4}, "classes": DISEASE_CLASSES},
    )
    monkeypatch.setattr(commands, "read_declaration", lambda _: spec)
    monkeypatch.setattr(commands, "models_of", Models)
    cohorts = {"a": [case(1), case(2)], "b": [case(k, exam([miss(2.0)])) for k in (1, 2)]}
    for name, cases in cohorts.items():
        monkeypatch.setattr(commands, "evaluate_cohort", lambda *_, c=cases: c)
        out = tmp_path / name
        out.mkdir()
        table = commands.evaluate(tmp_path / "model", "1-2", out, 1, lambda _: None)
        assert "| phantom-00002 |" in table
        assert json.loads((out / "evaluation.json").read_text())["model_sha256"] == "ab" * 32
        assert read_declared(out)["thresholds"] == {"disease": 0.4}
    shown = CliRunner().invoke(app, ["compare", str(tmp_path / "a"), str(tmp_path / "b")])
    assert shown.exit_code == 0
    assert (
        f"| sensitivity | {tmp_path}/a | {tmp_path}/b | 1.000 | 0.000 | 2 patients" in shown.output
    )
