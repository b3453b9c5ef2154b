from __future__ import annotations

from pathlib import Path

import pytest
import yaml

import training
from training.errors import TrainingError
from training.focal.cases import FOCAL_TEST_SEEDS, validation_patients, wanted
from training.focal.settings import load_focal, save_focal

PRESETS = Path(training.__path__[0]) / "experiments"


@pytest.mark.parametrize("size", ["small", "full"])
def test_presets_are_read_and_written_back_alike(size, tmp_path):
    experiment = load_focal(PRESETS / f"reproduce_focal_{size}.yaml")
    save_focal(experiment, tmp_path / "again.yaml")
    assert load_focal(tmp_path / "again.yaml") == experiment


def test_the_full_preset_is_the_published_configuration():
    full = load_focal(PRESETS / "reproduce_focal_full.yaml")
    assert (full.network.kind, full.network.feature_size, full.network.dropout) == (
        "swin_unetr",
        48,
        0.1,
    )
    assert (full.patch, full.overlap, full.cohort.folds) == ((96, 96, 96), 0.5, 7)
    assert [c.quantity for c in full.model_spec().channels] == ["t1", "b1000"]
    assert {c.normalisation for c in full.model_spec().channels} == {"percentiles"}
    lesions = full.lesions
    assert (lesions.stage.optimiser, lesions.stage.weight_decay) == ("adam", 1e-5)
    assert (lesions.stage.epochs, lesions.stage.warmup_epochs, lesions.stage.batch) == (400, 10, 4)
    assert (lesions.sap_rates, lesions.ssl_rates) == ((2e-6, 1e-5), (5e-6, 1e-5))
    assert lesions.stage.rates == (1e-5, 1e-5)
    skeleton = full.skeleton
    assert (skeleton.optimiser, skeleton.rates, skeleton.weight_decay) == (
        "adamw",
        (1e-4, 1e-4),
        1e-5,
    )
    assert (skeleton.epochs, skeleton.warmup_epochs) == (5000, 50)
    assert full.pretext.temperature == 0.1
    augmentation = full.augmentation
    assert (augmentation.flip_probability, augmentation.turn_probability) == (0.5, 0.2)


@pytest.mark.parametrize("size", ["small", "full"])
def test_the_encoder_of_a_pretrained_network_moves_slower(size):
    lesions = load_focal(PRESETS / f"reproduce_focal_{size}.yaml").lesions
    ratio = {n: r[0] / r[1] for n, r in (("sap", lesions.sap_rates), ("ssl", lesions.ssl_rates))}
    assert ratio == pytest.approx({"sap": 0.2, "ssl": 0.5})
    assert lesions.stage.rates[0] == lesions.stage.rates[1]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"initialisation": "imagenet"}, "initialisation must be sap or ssl or random"),
        ({"patch": [30, 32, 32]}, "no multiple"),
        ({"patch": [32, 48, 64]}, "square in plane"),
        ({"network": {"kind": "resnet"}}, "network.kind must be"),
        ({"speed": 3}, "unknown keys speed"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(change, said, tmp_path):
    values = yaml.safe_load((PRESETS / "reproduce_focal_small.yaml").read_text(encoding="utf-8"))
    (tmp_path / "bad.yaml").write_text(yaml.safe_dump(values | change), encoding="utf-8")
    with pytest.raises(TrainingError, match=said) as caught:
        load_focal(tmp_path / "bad.yaml")
    assert caught.value.code == "EXPERIMENT"


def test_the_experiment_that_ships_is_read_and_keeps_its_patients_apart():
    shipped = load_focal(PRESETS / "focal.yaml")
    assert (shipped.name, shipped.initialisation) == ("focal", "sap")
    fitted = {w.seed for group in wanted(shipped) for w in group}
    held_out = {w.seed for w in validation_patients(shipped)}
    assert held_out
    assert not held_out & fitted
    assert not held_out & set(FOCAL_TEST_SEEDS)
