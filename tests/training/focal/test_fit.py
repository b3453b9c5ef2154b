from __future__ import annotations

import dataclasses
from itertools import islice

import numpy as np
import pytest
import torch

from training.errors import TrainingError
from training.focal.fit import fit_stage, fitted_seconds, rate_factor, read_weights
from training.focal.network import ENCODER, build_network, part_of, weights
from training.focal.pretraining import as_initialised
from training.focal.stages import (
    dice_ce,
    lesion_network,
    lesion_stage,
    skeleton_stage,
    ssl_stage,
)


def _losses(stage, experiment, path, n=None):
    steps = fit_stage(stage, experiment, path)
    try:
        return [r.loss for r in islice(steps, n)]
    finally:
        steps.close()


def _make(kind, experiment, cases):
    if kind == "lesions":
        return lesion_stage(as_initialised(experiment, "random"), cases, {})[0]
    return {"skeleton": skeleton_stage, "ssl": ssl_stage}[kind](experiment, cases)


@pytest.mark.parametrize("kind", ["skeleton", "ssl", "lesions"])
def test_a_resumed_stage_has_the_losses_and_weights_of_an_unbroken_one(
    kind, experiment, cases, tmp_path
):
    longer = dataclasses.replace(experiment.skeleton, epochs=4)
    experiment = dataclasses.replace(experiment, skeleton=longer, ssl=longer)
    a, b = tmp_path / "a.pt", tmp_path / "b.pt"
    unbroken = _losses(_make(kind, experiment, cases), experiment, a)
    first = _losses(_make(kind, experiment, cases), experiment, b, n=2)
    rest = _losses(_make(kind, experiment, cases), experiment, b)
    assert len(unbroken) == _make(kind, experiment, cases).steps
    assert len(first) == 2
    assert first + rest == unbroken
    held, again = read_weights(a), read_weights(b)
    assert all(torch.equal(held[n], again[n]) for n in held)
    assert _losses(_make(kind, experiment, cases), experiment, b) == []
    assert fitted_seconds(b) > 0


def test_fine_tuning_lowers_the_loss(experiment, cases, tmp_path):
    more = dataclasses.replace(experiment.lesions.stage, epochs=15, rates=(5e-3, 5e-3))
    longer = dataclasses.replace(
        experiment, lesions=dataclasses.replace(experiment.lesions, stage=more)
    )
    losses = _losses(_make("lesions", longer, cases), longer, tmp_path / "a.pt")
    assert np.mean(losses[-4:]) < 0.85 * np.mean(losses[:4])


def test_rates_follow_the_parts_and_the_schedule(experiment, cases, tmp_path):
    stage, _ = lesion_stage(
        as_initialised(experiment, "sap"),
        cases,
        weights(build_network(experiment.network, 2, 10, 1)),
    )
    assert [g["rate"] for g in stage.groups] == [4e-4, 2e-3]
    report = next(fit_stage(stage, experiment, tmp_path / "a.pt"))
    assert report.learning_rate == pytest.approx(2e-3 / 5)  # the first of 4 steps of warm-up
    assert rate_factor(4, 4, 8) == 1.0
    assert rate_factor(6, 4, 8) == pytest.approx(0.5)
    assert rate_factor(8, 4, 8) == pytest.approx(0.0)


def test_the_switch_says_what_comes_over(experiment, cases):
    source = weights(build_network(experiment.network, 2, 10, seed=9))
    for name, parts in (("sap", {"encoder", "decoder"}), ("ssl", {"encoder"}), ("random", set())):
        stage, loaded = lesion_stage(as_initialised(experiment, name), cases, source)
        assert {p for p, n in loaded.tensors.items() if n} == parts
        same = [
            torch.equal(v, source[n])
            for n, v in weights(stage.module).items()
            if part_of(n) == ENCODER and n.endswith("conv.weight")
        ]
        assert same
        assert all(same) == (name != "random")


def test_a_checkpoint_of_another_schedule_is_refused(experiment, cases, tmp_path):
    _losses(_make("skeleton", experiment, cases), experiment, tmp_path / "a.pt", n=1)
    longer = dataclasses.replace(
        experiment, skeleton=dataclasses.replace(experiment.skeleton, epochs=9)
    )
    with pytest.raises(TrainingError) as caught:
        _losses(_make("skeleton", longer, cases), longer, tmp_path / "a.pt")
    assert caught.value.code == "CHECKPOINT"


def test_a_finished_lesion_network_is_read_back(experiment, cases, tmp_path):
    stage = _make("lesions", experiment, cases)
    _losses(stage, experiment, tmp_path / "a.pt")
    network = lesion_network(experiment, tmp_path / "a.pt").eval()
    image = torch.rand((1, 2, 8, 8, 8))
    with torch.no_grad():
        assert torch.equal(network(image), stage.module.eval()(image))


def test_dice_over_the_batch_counts_every_false_voxel_of_a_patch_without_lesion(experiment):
    labels = torch.zeros((2, 1, 4, 4, 4), dtype=torch.int64)
    labels[0, 0, :2] = 1  # 32 voxels of a lesion, all found; none in the other patch

    def dice(over_batch, false_voxels):
        settings = dataclasses.replace(experiment.skeleton, dice_over_batch=over_batch)
        logits = torch.where(labels == 1, 50.0, -50.0)
        logits.view(2, -1)[1, :false_voxels] = 50.0
        answer = torch.cat([-logits, logits], dim=1)
        criterion = dice_ce(settings)
        return float(criterion(answer, labels) - criterion.ce(answer, labels))

    assert dice(True, 16) == pytest.approx(1 - 2 * 32 / (32 + 32 + 16), abs=1e-4)
    assert dice(True, 64) == pytest.approx(1 - 2 * 32 / (32 + 32 + 64), abs=1e-4)
    assert dice(False, 16) == pytest.approx(dice(False, 64), abs=1e-4)
