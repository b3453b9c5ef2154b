"""Self-supervised pre-training (Tang et al. 2021): rebuild, name the turn, tell patches apart.

Two views of every patch, each turned by quarters and with boxes of noise. The encoder alone is
kept. Features are the mean of the coarsest map; Tang et al. take one position of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from training.focal.network import deep_features

if TYPE_CHECKING:
    from training.focal.settings import SslSettings

_FEWEST_FEATURES = 8


@dataclass(frozen=True, eq=False)
class Views:
    """Two views of n patches, the first n and the second n: what is given and what is asked.

    `image` and `original` (2n, channel, K, J, I), `masked` bool (2n, 1, K, J, I), `turns` (2n,).
    """

    image: Tensor = field(repr=False)
    original: Tensor = field(repr=False)
    masked: Tensor = field(repr=False)
    turns: Tensor

    def to(self, device: torch.device) -> Views:
        """Return the views on another device."""
        return Views(*(t.to(device) for t in (self.image, self.original, self.masked, self.turns)))


class Pretext(nn.Module):
    """A network's encoder with the three heads of the pretext tasks."""

    def __init__(self, network: nn.Module, settings: SslSettings, patch: Tensor) -> None:
        """Take a patch (1, channel, K, J, I) of zeros to learn the shapes from."""
        super().__init__()
        self.network = network
        self.settings = settings
        training = network.training
        with torch.no_grad():
            deepest = deep_features(network.eval(), patch)
        network.train(training)
        width = deepest.shape[1]
        self.turn = nn.Linear(width, 4)
        self.project = nn.Linear(width, settings.projection)
        factors = [n // d for n, d in zip(patch.shape[2:], deepest.shape[2:], strict=True)]
        self.rebuild = _rebuilder(width, patch.shape[1], factors)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the rebuilt image, logits of the four turns, and the projection."""
        deepest = deep_features(self.network, image)
        pooled = deepest.mean((2, 3, 4))
        return self.rebuild(deepest), self.turn(pooled), self.project(pooled)


def pretext_loss(answers: tuple[Tensor, Tensor, Tensor], views: Views, how: SslSettings) -> Tensor:
    """Return the weighted sum of the three losses."""
    rebuilt, turns, projected = (a.float() for a in answers)
    first, second = projected.chunk(2)
    return (
        how.inpainting * inpainting_loss(rebuilt, views.original, views.masked)
        + how.rotation * functional.cross_entropy(turns, views.turns)
        + how.contrastive * contrastive_loss(first, second, how.temperature)
    )


def inpainting_loss(rebuilt: Tensor, original: Tensor, masked: Tensor) -> Tensor:
    """Return the mean absolute error over masked voxels of all channels."""
    error = (rebuilt - original).abs() * masked
    return error.sum() / (masked.sum() * original.shape[1]).clamp(min=1)


def contrastive_loss(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    """NT-Xent (Chen et al. 2020) of (n, feature): each view's partner among all 2n - 1 others."""
    both = functional.normalize(torch.cat([first, second]), dim=1)
    likeness = both @ both.T / temperature
    likeness.fill_diagonal_(-torch.inf)
    n = first.shape[0]
    partner = torch.cat([torch.arange(n, 2 * n), torch.arange(n)]).to(likeness.device)
    return functional.cross_entropy(likeness, partner)


def make_views(patches: Tensor, masked_share: float, rng: np.random.Generator) -> Views:
    """Return two views of patches (n, channel, K, J, I), square in plane."""
    originals, masks, turns = [], [], []
    for patch in [*patches, *patches]:
        quarters = int(rng.integers(4))
        originals.append(torch.rot90(patch, quarters, (2, 3)))
        masks.append(_boxes(patch.shape[1:], masked_share, rng))
        turns.append(quarters)
    original, masked = torch.stack(originals), torch.stack(masks)
    noise = torch.from_numpy(rng.random(original.shape, dtype=np.float32))
    image = torch.where(masked, noise, original)
    return Views(image, original, masked, torch.tensor(turns))


def _boxes(shape: torch.Size, share: float, rng: np.random.Generator) -> Tensor:
    """Return random boxes that cover at least `share` of the patch: bool (1, K, J, I)."""
    mask = torch.zeros((1, *shape), dtype=torch.bool)
    while float(mask.float().mean()) < share:
        sizes = [int(rng.integers(max(n // 8, 1), max(n // 3, 1) + 1)) for n in shape]
        k, j, i = (int(rng.integers(n - s + 1)) for n, s in zip(shape, sizes, strict=True))
        mask[:, k : k + sizes[0], j : j + sizes[1], i : i + sizes[2]] = True
    return mask


def _rebuilder(width: int, channels: int, factors: list[int]) -> nn.Sequential:
    """Grow the coarsest map to the patch's size by steps of two, with half the features each."""
    layers: list[nn.Module] = []
    while max(factors) > 1:
        step = tuple(2.0 if f > 1 else 1.0 for f in factors)
        narrower = max(width // 2, _FEWEST_FEATURES)
        layers += [
            nn.Upsample(scale_factor=step, mode="trilinear"),
            nn.Conv3d(width, narrower, 3, padding=1),
            nn.InstanceNorm3d(narrower, affine=True),
            nn.LeakyReLU(0.01),
        ]
        factors = [max(f // 2, 1) for f in factors]
        width = narrower
    return nn.Sequential(*layers, nn.Conv3d(width, channels, 1))
