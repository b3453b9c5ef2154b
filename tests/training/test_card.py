"""A model is evaluated again: its card and declaration follow, its file stays."""

import json

import pytest

from training.card import renew_card
from training.declaration import write_declaration
from training.errors import TrainingError


@pytest.fixture
def model(experiment, tmp_path):
    folder = tmp_path / "anatomy"
    (folder / "1").mkdir(parents=True)
    (folder / "1" / "model.pt").write_bytes(b"weights")
    free = {
        "tool": {"name": "osteon train", "torch": "2"},
        "trained_on": {"data": "synthetic", "steps": 3},
        "export": {"largest_difference": 0.0, "dice_fp32": {"skeleton": 0.5}, "dice_bf16": None},
        "evaluation": {},
    }
    write_declaration(experiment.model_spec("ab" * 32), folder / "osteon.json", free)
    return folder


def found(digest):
    return {
        "model_sha256": digest,
        "population": "Synthetic",
        "n": 2,
        "targets": [],
        "markdown": "| new |\n",
    }


def test_the_card_shows_the_new_evaluation_and_nothing_else_changes(model):
    before = json.loads((model / "osteon.json").read_text())
    renew_card(model, found("ab" * 32))
    after = json.loads((model / "osteon.json").read_text())
    assert "| new |" in (model / "MODEL_CARD.md").read_text()
    assert after.pop("evaluation")["model_sha256"] == "ab" * 32
    before.pop("evaluation")
    assert after == before
    assert sorted(p.name for p in model.iterdir()) == ["1", "MODEL_CARD.md", "osteon.json"]


def test_another_model_s_numbers_stay_off_the_card(model):
    with pytest.raises(TrainingError, match="another file"):
        renew_card(model, found("cd" * 32))
    assert not (model / "MODEL_CARD.md").exists()
