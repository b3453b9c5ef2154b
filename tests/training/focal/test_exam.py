"""A served focal network on kept scans: scored as it is served, and the scans are made once."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from imaging.focal import FocalInput
from imaging.geometry import Geometry
from imaging.model import ModelInput
from tests.workers.served import write_model
from training.errors import TrainingError
from training.focal import exam_scan
from training.focal.exam import exam, examine
from training.focal.exam_scan import Scanned, scanned
from training.seeds import parse_seeds

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
GRID = Geometry.axial((16, 24, 24), (5.0, 4.0, 4.0), (0.0, 0.0, 0.0))


class BrightOnB1000(torch.nn.Module):
    """The probability of a lesion is the second channel."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([1 - x[:, 1:2], x[:, 1:2]], 1)


@pytest.fixture
def model(tmp_path):
    unit = {"normalisation": "percentiles", "scale": 1.0, "clip": 1.0}
    return write_model(
        tmp_path / "focal", BrightOnB1000(), classes=["background", "lesion"],
        channels=[{**unit, "quantity": "t1"}, {**unit, "quantity": "b1000"}],
        thresholds={"lesion": 0.6}, slab_slices=16,
    )  # fmt: skip


@pytest.fixture
def made(monkeypatch):
    """Patients of one lesion of 12.8 mL that is found, one that is too dim, and a false one."""
    seeds = []

    def scan(seed, _spec):
        seeds.append(seed)
        truth = np.zeros(GRID.shape, np.bool_)
        truth[2:7, 4:8, 4:12] = True
        truth[10:12, 4:6, 4:6] = True
        array = np.full((2, *GRID.shape), 0.2, np.float32)
        array[1, 2:7, 4:8, 4:12] = 0.9
        array[1, 10:12, 4:6, 4:6] = 0.5
        array[1, 10:14, 14:18, 14:18] = 0.8
        shown = np.ones(GRID.shape, np.bool_)
        looked = FocalInput(ModelInput(array, GRID), shown, 2.5)
        return Scanned(looked, np.full(GRID.shape, 900.0, np.float32), truth, GRID)

    monkeypatch.setattr(exam_scan, "scan", scan)
    return seeds


def test_an_exam_is_scored_at_the_declared_threshold(model, made, tmp_path):
    result = exam(model, 1100, tmp_path / "scans")
    assert [(le.volume_ml, le.detected) for le in result.lesions.lesions] == [
        (pytest.approx(12.8), True),
        (pytest.approx(0.64), False),
    ]
    assert [p.true for p in result.lesions.predictions] == [True, False]
    assert result.gadc_um2_s == 900.0
    assert made == [1100]


def test_scans_are_made_once_and_read_back_alike(model, made, tmp_path):
    exam(model, 1100, tmp_path / "scans")
    exam(model, 1100, tmp_path / "scans")
    assert made == [1100]
    spec = exam_scan.scan(1, None)
    (path,) = (tmp_path / "scans").iterdir()
    read = scanned(tmp_path / "scans", 1100, _spec(model))
    assert path.name == "phantom-01100-5x4x4.npz"
    assert np.array_equal(read.looked.given.array, spec.looked.given.array)
    assert read.looked.given.geometry.matches(GRID)
    assert (read.looked.moved_mm, read.geometry.shape) == (2.5, GRID.shape)


def _spec(model):
    from training.declaration import read_declaration  # noqa: PLC0415

    return read_declaration(model / "osteon.json")


def test_a_table_and_a_declaration_are_left(model, made, tmp_path):
    out = tmp_path / "out"
    for seed in (1100, 1101):
        scanned(out / "scans", seed, _spec(model))
    heard = []
    table = examine(model, "1100-1101", out, 1, heard.append)
    assert sorted(heard) == [1100, 1101]
    assert "n = 2 (seeds 1100-1101)" in table
    document = json.loads((out / "evaluation.json").read_text())
    assert document["thresholds"] == {"lesion": 0.6}
    assert document["n_cases"] == 2
    assert made == list(parse_seeds("1100-1101"))


def test_results_of_another_threshold_are_not_mixed(model, made, tmp_path):
    out = tmp_path / "out"
    scanned(out / "scans", 1100, _spec(model))
    examine(model, "1100", out, 1, lambda _: None)
    declared = json.loads((model / "osteon.json").read_text())
    (model / "osteon.json").write_text(json.dumps({**declared, "thresholds": {"lesion": 0.4}}))
    with pytest.raises(TrainingError, match="another model or threshold"):
        examine(model, "1100", out, 1, lambda _: None)
    assert made
