from __future__ import annotations

import torch
from torch import nn

from training.experiment import NetworkSettings
from training.network import FoldedUNet, freeze_statistics


def network():
    torch.manual_seed(0)
    return FoldedUNet(NetworkSettings(filters=(8, 12, 16)), 2, 5)


def test_folding_and_unfolding_keep_every_voxel_in_its_place():
    net = network()
    net.classes = 2
    net.body = nn.Identity()  # folded channels come out as (class, fold, fold) went in
    image = torch.arange(2 * 2 * 4 * 6, dtype=torch.float32).reshape(1, 2, 2, 4, 6)
    folded = net.folded_logits(image)
    assert folded.shape == (1, 8, 2, 2, 3)
    # Channel 0's top-left voxels of each 2 x 2 block come first.
    assert torch.equal(folded[0, 0], image[0, 0, :, ::2, ::2])
    assert torch.equal(folded[0, 3], image[0, 0, :, 1::2, 1::2])


def test_voxel_logits_and_targets_are_in_one_order():
    net = network().eval()
    image = torch.randn(2, 2, 4, 8, 16)
    with torch.no_grad():
        dense = net(image)
        flat = net.voxel_logits(image)
    picked = net.voxel_targets(dense.argmax(1))
    assert torch.equal(flat.argmax(-1), picked)
    by_class = net.voxel_targets(dense[:, 3])
    torch.testing.assert_close(flat[:, 3], by_class)


def test_any_shape_that_fits_the_divisor():
    net = network().eval()
    with torch.no_grad():
        assert net(torch.randn(1, 2, 12, 16, 8)).shape == (1, 5, 12, 16, 8)


def test_frozen_statistics_do_not_move():
    net = network().train()
    freeze_statistics(net)
    norm = next(m for m in net.modules() if isinstance(m, nn.BatchNorm3d))
    before = norm.running_mean.clone()
    net(torch.randn(2, 2, 4, 8, 8) + 5)
    assert torch.equal(norm.running_mean, before)
    net.train()
    net(torch.randn(2, 2, 4, 8, 8) + 5)
    assert not torch.equal(norm.running_mean, before)
