from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional

from training.losses import segmentation_loss

# Two voxels, two classes, p = (3/4, 1/4) and (1/4, 3/4); truth: background, then foreground.
LOGITS = torch.tensor([[math.log(3.0), 0.0], [0.0, math.log(3.0)]])
HARD = torch.tensor([0, 1])


def test_cross_entropy_alone_by_hand():
    assert segmentation_loss(LOGITS, HARD, 0.0).item() == pytest.approx(-math.log(0.75), rel=1e-5)


def test_dice_alone_by_hand():
    # Foreground: shared 3/4, predicted 1/4 + 3/4 = 1, held 1: Dice = 2 x 0.75 / 2 = 0.75.
    assert segmentation_loss(LOGITS, HARD, 1.0).item() == pytest.approx(0.25, abs=1e-4)


def test_alpha_weighs_the_two():
    expected = 0.3 * 0.25 + 0.7 * -math.log(0.75)
    assert segmentation_loss(LOGITS, HARD, 0.3).item() == pytest.approx(expected, abs=1e-4)


def test_soft_targets_by_hand():
    soft = torch.tensor([[0.5, 0.5], [0.0, 1.0]])
    # CE: -(ln .75 + ln .25)/2 and -ln .75, averaged; Dice: (1/8 + 3/4) x 2 / (1 + 3/2) = 0.7.
    ce = (-(math.log(0.75) + math.log(0.25)) / 2 - math.log(0.75)) / 2
    assert segmentation_loss(LOGITS, soft, 0.0).item() == pytest.approx(ce, rel=1e-5)
    assert segmentation_loss(LOGITS, soft, 1.0).item() == pytest.approx(0.3, abs=1e-4)


def test_hard_and_one_hot_targets_agree_in_value_and_gradient():
    torch.manual_seed(0)
    logits = torch.randn(50, 5, requires_grad=True)
    target = torch.randint(0, 4, (50,))  # class 4 is absent
    hard = segmentation_loss(logits, target, 0.5)
    (by_hard,) = torch.autograd.grad(hard, logits)
    soft = segmentation_loss(logits, functional.one_hot(target, 5).float(), 0.5)
    (by_soft,) = torch.autograd.grad(soft, logits)
    assert hard.item() == pytest.approx(soft.item(), rel=1e-5)
    torch.testing.assert_close(by_hard, by_soft)


def test_absent_foreground_leaves_the_cross_entropy():
    only_background = torch.tensor([0, 0])
    ce = (-math.log(0.75) - math.log(0.25)) / 2
    assert segmentation_loss(LOGITS, only_background, 0.5).item() == pytest.approx(ce / 2, rel=1e-5)
