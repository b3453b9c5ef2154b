"""The anatomy network: a 3D residual U-Net (Candito et al.) that runs fast on a CPU.

MONAI's DynUNet with residual blocks and BatchNorm. In-plane voxels are folded into channels before
it and unfolded after it, so its finest level works on (slice, row / fold, column / fold) while
every voxel still gets logits of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from monai.networks.nets.dynunet import DynUNet
from torch import Tensor, nn

if TYPE_CHECKING:
    from training.experiment import NetworkSettings

_MOMENTUM = 0.03
"""Running statistics follow about 30 steps, not 10: a batch is two patches only."""


class FoldedUNet(nn.Module):
    """(n, channel, K, J, I) → logits (n, class, K, J, I); K, J, I multiples of the divisor."""

    def __init__(self, settings: NetworkSettings, channels: int, classes: int) -> None:
        """Build the network with random weights."""
        super().__init__()
        self.fold = settings.fold
        self.classes = classes
        levels = len(settings.filters)
        strides = [1] + [2] * (levels - 1)
        area = settings.fold**2
        self.body = DynUNet(
            spatial_dims=3,
            in_channels=channels * area,
            out_channels=classes * area,
            kernel_size=[3] * levels,
            strides=strides,
            upsample_kernel_size=strides[1:],
            filters=list(settings.filters),
            norm_name=("batch", {"momentum": _MOMENTUM}),
            act_name=("leakyrelu", {"negative_slope": 0.01, "inplace": True}),
            res_block=True,
        )
        nn.Module.to(self, memory_format=torch.channels_last_3d)  # type: ignore[call-overload]

    def forward(self, image: Tensor) -> Tensor:
        """Return logits at every voxel."""
        folded = self.folded_logits(image)
        n, _, k, j, i = folded.shape
        f = self.fold
        parts = folded.reshape(n, f, f, self.classes, k, j, i)
        return parts.permute(0, 3, 4, 5, 1, 6, 2).reshape(n, self.classes, k, j * f, i * f)

    def folded_logits(self, image: Tensor) -> Tensor:
        """Return (n, fold x fold x class, K, J / fold, I / fold); see `voxel_logits`."""
        n, c, k, j, i = image.shape
        f = self.fold
        parts = image.reshape(n, c, k, j // f, f, i // f, f).permute(0, 1, 4, 6, 2, 3, 5)
        folded = parts.reshape(n, c * f * f, k, j // f, i // f)
        result: Tensor = self.body(folded.contiguous(memory_format=torch.channels_last_3d))
        return result

    def voxel_logits(self, image: Tensor) -> Tensor:
        """Return logits (voxel, class) in the order of `voxel_targets`: what a loss reads fastest.

        In channels-last memory this is a view of the network's answer.
        """
        return self.folded_logits(image).permute(0, 2, 3, 4, 1).reshape(-1, self.classes)

    def voxel_targets(self, labels: Tensor) -> Tensor:
        """Return (n, K, J, I) labels as (voxel,) in the order of `voxel_logits`."""
        n, k, j, i = labels.shape
        f = self.fold
        parts = labels.reshape(n, k, j // f, f, i // f, f)
        return parts.permute(0, 1, 2, 4, 3, 5).reshape(-1)

    def voxel_shares(self, shares: Tensor) -> Tensor:
        """Return (n, class, K, J, I) probabilities as (voxel, class), ordered alike."""
        n, c, k, j, i = shares.shape
        f = self.fold
        parts = shares.reshape(n, c, k, j // f, f, i // f, f)
        return parts.permute(0, 2, 3, 5, 4, 6, 1).reshape(-1, c)


def freeze_statistics(network: nn.Module) -> None:
    """Normalise by the running statistics from now on, as serving does.

    One patch holds one part of the body; its own statistics are not the body's. Training ends
    under the statistics that are served.
    """
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):  # noqa: SLF001 - torch's base class
            module.eval()
