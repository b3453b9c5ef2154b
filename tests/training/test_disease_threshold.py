"""The threshold of the disease network: scored cuts, the choice, and where it is written."""

from __future__ import annotations

import json
import math
from concurrent.futures import Future

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from imaging.burden import DISEASE_CLASSES
from imaging.model import Channel, ModelSpec
from phantom.truth import Truth
from tests.imaging.test_burden import GRID, seen  # noqa: F401 - a fixture
from training import disease_threshold
from training.cli import app
from training.declaration import read_declaration, write_declaration
from training.disease_threshold import Cut, choose_cut, choose_threshold, cuts_of
from training.errors import TrainingError
from training.evaluation import ServedModel

SPEC = ModelSpec(
    name="disease",
    version="1",
    channels=(Channel("normalised_high_b", "fixed", 1.0, 4.0),),
    spacing_mm=(5.0, 2.0, 2.0),
    orientation="SPL",
    slab_slices=8,
    slab_overlap=0,
    divisor=(1, 1, 1),
    classes=DISEASE_CLASSES,
    sha256="ab" * 32,
)
PATIENTS = [
    [Cut(0.3, 0.60, 0.10, 0.04), Cut(0.5, 0.70, 0.20, 0.02), Cut(0.7, 0.695, 0.12, None)],
    [Cut(0.3, 0.60, 0.10, 0.02), Cut(0.5, 0.72, 0.30, 0.04), Cut(0.7, 0.715, 0.14, 0.01)],
]


def test_every_cut_is_scored_against_the_truth(seen):  # noqa: F811
    """A strip of 12 bone voxels of probability 0.8, its rim of 12 more of 0.4; 8 are diseased."""
    probability = np.zeros(GRID.shape, np.float32)
    probability[2, 8, 8:20], probability[2, 9, 8:20] = 0.4, 0.8
    lesions = np.zeros(GRID.shape, np.uint16)
    lesions[2, 9, 8:16] = 1
    labels = np.zeros(GRID.shape, np.uint8)
    true_ml = 8 * 0.02
    truth = Truth(GRID, labels, lesions, seen.fit.adc_um2_s, (), true_ml, 1000.0)

    def answer(image):
        disease = torch.zeros(image.shape[1:])
        disease[:] = torch.from_numpy(probability)[:, : image.shape[3], : image.shape[4]]
        return torch.stack([1 - disease, disease], 1)

    cuts = cuts_of(truth, seen, ServedModel(SPEC, answer, bf16=False), (0.3, 0.5, 0.9))
    assert [cut.dice for cut in cuts] == pytest.approx([16 / 32, 16 / 20, 0.0])
    errors = [cut.tdv_log_error for cut in cuts]
    assert errors == pytest.approx([math.log(24 / 8), math.log(12 / 8), math.log(8)])
    assert cuts[0].gadc_error == pytest.approx(0.0, abs=1e-3)
    assert cuts[2].gadc_error is None


def test_volume_decides_among_the_thresholds_of_good_dice():
    best, means = choose_cut(PATIENTS)
    assert best.threshold == 0.7  # 0.3 has the least error of TDV but loses 0.11 of Dice
    assert [m.dice for m in means] == pytest.approx([0.60, 0.71, 0.705])
    assert best.tdv_log_error == pytest.approx(0.13)
    assert best.gadc_error == pytest.approx(0.01)


def test_of_equal_thresholds_the_highest_is_chosen():
    best, _ = choose_cut([[Cut(0.4, 0.7, 0.1, 0.0), Cut(0.5, 0.7, 0.1, 0.0)]])
    assert best.threshold == 0.5


def test_no_diseased_patient_is_no_threshold():
    with pytest.raises(TrainingError) as caught:
        choose_cut([])
    assert caught.value.code == "NO_CASES"


@pytest.fixture
def repository(tmp_path):
    free = {
        "trained_on": {"train_seeds": "2001-2160", "train_cases": 160},
        "export": {"largest_difference": 0.0},
        "evaluation": {"model_sha256": "ab" * 32, "markdown": "| older |"},
    }
    (tmp_path / "disease").mkdir()
    write_declaration(SPEC, tmp_path / "disease" / "osteon.json", free)
    return tmp_path


class AtOnce:
    """Runs what a pool of processes would."""

    def __init__(self, *_):
        """Take what a pool takes."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return False

    def submit(self, function, *values):
        done = Future()
        done.set_result(function(*values))
        return done


def test_the_choice_is_written_with_its_source_and_the_older_evaluation_goes(
    repository, monkeypatch
):
    cuts = {906: PATIENTS[0], 907: PATIENTS[1], 908: []}
    monkeypatch.setattr(disease_threshold, "_cuts_of_seed", lambda _, seed: cuts[seed])
    monkeypatch.setattr(disease_threshold, "ProcessPoolExecutor", AtOnce)
    folder = repository / "disease"
    done = CliRunner().invoke(app, ["threshold", str(folder), "--seeds", "906-908"])
    assert done.exit_code == 0, done.output
    assert "| 0.70 | 0.705 | 0.130 | 1.0 |" in done.output
    assert read_declaration(folder / "osteon.json").thresholds == {"disease": 0.7}
    document = json.loads((folder / "osteon.json").read_text())
    assert "seeds 906-908, n = 2" in document["threshold"]["chosen_on"]
    assert document["evaluation"] == {}
    card = (folder / "MODEL_CARD.md").read_text()
    assert "From this probability on: disease 0.7." in card
    assert "| older |" not in card


@pytest.mark.parametrize(("seeds", "code"), [((1000,), "TEST_SEEDS"), ((900,), "THRESHOLD")])
def test_evaluation_patients_and_other_networks_are_refused(repository, seeds, code):
    spec = ModelSpec(**{**vars(SPEC), "classes": ("background", "liver")})
    write_declaration(spec, repository / "disease" / "osteon.json", {})
    with pytest.raises(TrainingError) as caught:
        choose_threshold(repository / "disease", seeds, 1, lambda _: None)
    assert caught.value.code == code
