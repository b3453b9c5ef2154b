"""A model is evaluated again: its card and declaration follow, its file stays."""

import json
from dataclasses import replace

import pytest

from phantom.patient import BodyModelName
from training.body_models import population
from training.card import renew_card, set_thresholds
from training.declaration import write_declaration
from training.errors import TrainingError
from training.model_card import model_card


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


def test_a_held_out_body_model_has_a_section_of_its_own(model):
    of_contoured = {"population": population(BodyModelName.CONTOURED), "markdown": "| other |\n"}
    renew_card(model, found("ab" * 32))
    renew_card(model, found("ab" * 32) | of_contoured)
    first, title, second = (
        (model / "MODEL_CARD.md")
        .read_text()
        .partition("## On a body model that training never saw\n")
    )
    assert title
    assert "| new |" in first
    assert "| other |" in second
    assert "| new |" not in second
    held = json.loads((model / "osteon.json").read_text())
    assert held["evaluation"]["population"] == "Synthetic"
    assert held["evaluation_other_body"]["markdown"] == "| other |\n"
    set_thresholds(model, {"disease": 0.4}, {})
    assert "| other |" not in (model / "MODEL_CARD.md").read_text()


def test_another_threshold_s_numbers_stay_off_the_card(model):
    set_thresholds(model, {"disease": 0.4}, {"chosen_on": "seeds 906-911"})
    with pytest.raises(TrainingError, match="other thresholds"):
        renew_card(model, found("ab" * 32) | {"thresholds": {}})
    renew_card(model, found("ab" * 32) | {"thresholds": {"disease": 0.4}})
    assert "chosen on: seeds 906-911" in (model / "MODEL_CARD.md").read_text()


@pytest.mark.parametrize(
    ("task", "words"),
    [
        ("anatomy", "one probability per structure"),
        ("disease", "It is not a list of focal lesions"),
    ],
)
def test_a_card_says_what_its_kind_of_network_does(experiment, task, words):
    spec = replace(experiment, task=task).model_spec("ab" * 32)
    free = {"trained_on": {"train_seeds": "1-3"}, "export": {}, "evaluation": {}}
    card = model_card(spec, free)
    assert words in card
    assert ", ".join(spec.classes) in card
    assert ("search region, not a bone volume" in card) == (task == "anatomy")
    assert "## Threshold" not in card


def test_classes_without_texts_are_refused(experiment):
    spec = replace(experiment.model_spec(), classes=("background", "tooth"))
    with pytest.raises(TrainingError, match="background, tooth") as caught:
        model_card(spec, {"trained_on": {}, "export": {}, "evaluation": {}})
    assert caught.value.code == "CARD"


def test_another_model_s_numbers_stay_off_the_card(model):
    with pytest.raises(TrainingError, match="another file"):
        renew_card(model, found("cd" * 32))
    assert not (model / "MODEL_CARD.md").exists()
