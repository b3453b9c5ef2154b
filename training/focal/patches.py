"""Patches as tensors, changed as the paper changes them; each a function of its key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from training.sampling import cut

if TYPE_CHECKING:
    from training.cases import Case
    from training.focal.settings import FocalAugmentation
    from training.sampling import Triple


_GAMMA = 1.5
_JITTER = 6
"""Voxels, along each axis."""
_NOISE = 0.08


def take_patch(case: Case, centre: Triple, size: Triple) -> tuple[Tensor, Tensor]:
    """Return image float32 (channel, K, J, I) and labels int64 (1, K, J, I)."""
    image = torch.from_numpy(cut(case.image, centre, size).astype(np.float32))
    labels = torch.from_numpy(cut(case.labels, centre, size).astype(np.int64))
    return image, labels[None]


def any_centre(case: Case, rng: np.random.Generator) -> Triple:
    """Draw a voxel, each as likely as any other."""
    k, j, i = (int(rng.integers(n)) for n in case.labels.shape)
    return k, j, i


def aimed_centre(case: Case, rng: np.random.Generator) -> Triple:
    """Draw a voxel near one that carries a label; every label that the case holds is as likely."""
    held = np.unique(case.labels[case.labels > 0])
    if held.size == 0:
        return any_centre(case, rng)
    voxels = np.flatnonzero(case.labels == rng.choice(held))
    at = np.unravel_index(int(rng.choice(voxels)), case.labels.shape)
    k, j, i = (int(n) + int(rng.integers(-_JITTER, _JITTER + 1)) for n in at)
    return k, j, i


def change(
    image: Tensor, labels: Tensor, settings: FocalAugmentation, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Mirror, turn by quarters in plane, scale and shift the signal (`papers.md` B.3)."""
    flipped = [axis for axis in (1, 2, 3) if rng.random() < settings.flip_probability]
    image, labels = torch.flip(image, flipped), torch.flip(labels, flipped)
    if rng.random() < settings.turn_probability:
        quarters = int(rng.integers(1, 4))
        image, labels = (torch.rot90(t, quarters, (2, 3)) for t in (image, labels))
    if rng.random() < settings.scale_probability:
        image = image * (1 + float(rng.uniform(-settings.scale, settings.scale)))
    if rng.random() < settings.shift_probability:
        image = image + float(rng.uniform(-settings.shift, settings.shift))
    if settings.by_channel > 0:
        image = torch.stack([_channel(c, settings.by_channel, rng) for c in image])
    return image, labels


def _channel(image: Tensor, probability: float, rng: np.random.Generator) -> Tensor:
    """Change one channel (K, J, I) by itself."""
    if rng.random() < probability:
        image = image.clamp(min=0) ** float(np.exp(rng.uniform(-1, 1) * np.log(_GAMMA)))
    if rng.random() < probability:
        noise = rng.standard_normal(tuple(image.shape), dtype=np.float32)
        image = image + float(rng.uniform(0, _NOISE)) * torch.from_numpy(noise)
    if rng.random() < probability:
        by = [int(rng.integers(-1, 2)) for _ in image.shape]
        image = torch.roll(image, by, (0, 1, 2))
    return image
