from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from torch import Tensor

from training.focal.network import build_network, part_of
from training.focal.pretext import (
    Pretext,
    Views,
    contrastive_loss,
    inpainting_loss,
    make_views,
    pretext_loss,
)
from training.focal.settings import FocalNetwork, SslSettings


def test_inpainting_is_the_mean_error_where_it_was_masked():
    original = torch.zeros((1, 2, 1, 1, 3))
    rebuilt = torch.tensor([1.0, 2.0, 9.0, 3.0, 4.0, 9.0]).reshape(1, 2, 1, 1, 3)
    masked = torch.tensor([True, True, False]).reshape(1, 1, 1, 1, 3)
    assert inpainting_loss(rebuilt, original, masked).item() == pytest.approx(2.5)


def test_contrastive_loss_by_hand():
    # Partners alike, the others at a right angle: each row is -log(e^(1/T) / (e^(1/T) + 2)).
    first = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
    expected = -np.log(np.e / (np.e + 2))
    assert contrastive_loss(first, 3 * first, 1.0).item() == pytest.approx(expected, rel=1e-5)
    sharp = -np.log(np.exp(10) / (np.exp(10) + 2))
    assert contrastive_loss(first, first, 0.1).item() == pytest.approx(sharp, abs=1e-6)


def test_contrastive_loss_is_large_for_the_wrong_partner():
    first = torch.eye(2)
    wrong = contrastive_loss(first, first.flip(0), 1.0).item()
    assert wrong == pytest.approx(-np.log(1 / (np.e + 2)), rel=1e-5)


def test_views_are_turned_as_they_say_and_masked_by_the_share():
    patches = torch.rand((3, 2, 4, 8, 8))
    views = make_views(patches, 0.3, np.random.default_rng(1))
    assert views.image.shape == (6, 2, 4, 8, 8)
    for n, quarters in enumerate(views.turns.tolist()):
        turned = torch.rot90(patches[n % 3], quarters, (2, 3))
        assert torch.equal(views.original[n], turned)
    assert (views.masked.float().mean((1, 2, 3, 4)) >= 0.3).all()
    kept = ~views.masked.expand_as(views.image)
    assert torch.equal(views.image[kept], views.original[kept])
    assert not torch.equal(views.image, views.original)
    again = make_views(patches, 0.3, np.random.default_rng(1))
    assert torch.equal(views.image, again.image)


def _answers() -> tuple[tuple[Tensor, Tensor, Tensor], Views]:
    original = torch.zeros((2, 1, 1, 1, 2))
    masked = torch.ones((2, 1, 1, 1, 2), dtype=torch.bool)
    views = Views(original, original, masked, torch.tensor([0, 3]))
    turns = torch.zeros((2, 4))
    return (original + 0.5, turns, torch.ones((2, 3))), views


def test_each_weight_switches_its_task():
    answers, views = _answers()
    off = SslSettings(0.0, 0.0, 0.0, temperature=1.0)
    assert pretext_loss(answers, views, off).item() == 0
    for name, expected in (("inpainting", 0.5), ("rotation", np.log(4)), ("contrastive", 0.0)):
        one = dataclasses.replace(off, **{name: 2.0})
        assert pretext_loss(answers, views, one).item() == pytest.approx(2 * expected, abs=1e-6)


@pytest.mark.parametrize(
    ("settings", "patch"),
    [
        (FocalNetwork("residual_unet", filters=(8, 8, 12), fold=2), (8, 16, 16)),
        (FocalNetwork("swin_unetr", feature_size=12), (32, 32, 32)),
    ],
)
def test_the_encoder_learns_and_the_decoder_is_left_alone(settings, patch):
    network = build_network(settings, 2, 2, seed=1)
    # Two views at least, and a batch of patches with more than one voxel at the coarsest level.
    image = torch.rand((4, 2, *patch))
    module = Pretext(network, SslSettings(projection=16), image[:1])
    views = make_views(image[:2], 0.3, np.random.default_rng(1))
    rebuilt, turns, projected = module(views.image)
    assert rebuilt.shape == views.original.shape
    assert (turns.shape, projected.shape) == ((4, 4), (4, 16))
    pretext_loss((rebuilt, turns, projected), views, module.settings).backward()
    moved = {part_of(n) for n, p in network.named_parameters() if p.grad is not None}
    assert moved == {"encoder"}
