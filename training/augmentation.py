"""Random changes of a patch: decided first, applied afterwards.

`decide` draws every number from one generator; `apply` only computes. So a decision can be looked
at, tested and repeated. What is varied: pose and shape (rotation, tilt, size, local bending),
mirror image, and what scanners do to signal (gain, contrast, coil bias, station steps, noise,
blur). All ranges stand in `AugmentationSettings`; they are Osteon's choices.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from imaging.anatomy import STRUCTURES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from imaging.model import Channel
    from training.experiment import AugmentationSettings

BONE_PROBABILITY = "bone_probability"
MARGIN = (1.2, 1.35, 1.35)
"""How much larger than the patch the part must be that is cut for it."""
_BIAS_CONTROLS = (4, 3, 3)
_BEND_CONTROLS = (5, 5, 6)


@dataclass(frozen=True, eq=False)
class Decision:
    """Everything that will be done to one patch; fields as numbers and small control grids."""

    matrix: NDArray[np.float64] = field(repr=False)
    """From (z, y, x) mm around the patch's centre to mm around the part's centre."""
    bend_mm: NDArray[np.float32] | None
    mirrored: bool
    adc_scale: float
    gain: float
    gamma: float
    log_bias: NDArray[np.float32] = field(repr=False)
    step_at: float | None
    """Where along the slices (0 to 1) the gain changes, None for nowhere."""
    step_ratio: float
    noise_sd: float
    noise_seed: int
    blurred: bool


def decide(settings: AugmentationSettings, rng: np.random.Generator) -> Decision:
    """Draw what will be done to one patch."""
    bends = rng.random() < settings.elastic_probability
    steps = rng.random() < settings.station_step_probability
    bend = rng.normal(0, settings.elastic_mm, (3, *_BEND_CONTROLS)).astype(np.float32)
    bias = rng.normal(0, settings.bias_sd, _BIAS_CONTROLS).astype(np.float32)
    low, high = np.log(settings.gamma)
    return Decision(
        matrix=_pose(settings, rng),
        bend_mm=bend if bends else None,
        mirrored=bool(rng.random() < settings.flip_probability),
        adc_scale=float(rng.uniform(*settings.adc_scale)),
        gain=float(np.exp(rng.normal(0, settings.gain_sd))),
        gamma=float(np.exp(rng.uniform(low, high))),
        log_bias=bias,
        step_at=float(rng.random()) if steps else None,
        step_ratio=float(np.exp(rng.normal(0, settings.station_step_sd))),
        noise_sd=float(rng.uniform(0, settings.noise_sd)),
        noise_seed=int(rng.integers(2**31)),
        blurred=bool(rng.random() < settings.blur_probability),
    )


def apply(
    decision: Decision,
    image: Tensor,
    labels: Tensor,
    patch: tuple[int, int, int],
    spacing_mm: tuple[float, float, float],
) -> tuple[Tensor, Tensor]:
    """Return the patch's geometry applied: image (C, *patch) float32, and its labels.

    Class numbers stay class numbers (nearest), probabilities move as the image does (linear).

    Args:
        decision: what to do.
        image: (C, K, J, I) float32, larger than the patch by `MARGIN`.
        labels: uint8 (K, J, I), or probabilities float32 (class, K, J, I), beside it.
        patch: the shape of the answer.
        spacing_mm: of both, along (slice, row, column).

    """
    grid = _sampling_grid(decision, (*image.shape[1:],), patch, spacing_mm)
    moved = functional.grid_sample(image[None], grid, mode="bilinear", align_corners=False)[0]
    move_labels = _moved_shares if labels.is_floating_point() else _moved_names
    named = move_labels(labels, grid)
    if decision.mirrored:
        return moved.flip(-1), mirror_labels(named)
    return moved, named


def mirror_labels(labels: Tensor) -> Tensor:
    """Mirror left to right (the column axis) and swap the names of left and right structures."""
    if labels.is_floating_point():
        return labels.flip(-1)[_SWAPPED.long()]
    return _SWAPPED[labels.flip(-1).long()]


def _moved_names(labels: Tensor, grid: Tensor) -> Tensor:
    values = labels[None, None].float()
    moved = functional.grid_sample(values, grid, mode="nearest", align_corners=False)
    return moved[0, 0].to(torch.uint8)


def _moved_shares(shares: Tensor, grid: Tensor) -> Tensor:
    """Move the foreground that is there; background is what it leaves, outside the part too."""
    held = shares[1:].flatten(1).any(1).nonzero()[:, 0] + 1
    out = torch.zeros(shares.shape[0], *grid.shape[1:4])
    if held.numel():
        values = shares[held][None]
        out[held] = functional.grid_sample(values, grid, mode="bilinear", align_corners=False)[0]
    out[0] = (1 - out.sum(0)).clamp_min_(0)
    return out


def change_signal(decision: Decision, image: Tensor, channels: Sequence[Channel]) -> Tensor:
    """Return the image (C, K, J, I) as another scanner could have made it, within the clips.

    What a network said (a probability) is not signal: it stays as it is.
    """
    out = image.clone()
    for n, channel in enumerate(channels):
        if channel.quantity == "adc_um2_s":
            out[n] *= decision.adc_scale
        elif channel.quantity != BONE_PROBABILITY:
            out[n] = _other_scanner(decision, out[n], channel.clip)
    if decision.blurred:
        out = functional.avg_pool3d(out[None], (1, 3, 3), stride=1, padding=(0, 1, 1))[0]
    generator = torch.Generator().manual_seed(decision.noise_seed)
    out += decision.noise_sd * torch.randn(out.shape, generator=generator) * (image > 0)
    for n, channel in enumerate(channels):
        if channel.quantity == BONE_PROBABILITY:
            out[n] = image[n]
        out[n].clamp_(0, channel.clip)
    return out


def _other_scanner(decision: Decision, signal: Tensor, clip: float) -> Tensor:
    bias = torch.from_numpy(decision.log_bias)[None, None]
    field_ = functional.interpolate(bias, signal.shape, mode="trilinear", align_corners=True)
    gain = field_[0, 0].exp_() * decision.gain
    if decision.step_at is not None:
        gain[int(decision.step_at * signal.shape[0]) :] *= decision.step_ratio
    contrast: Tensor = (signal / clip).clamp_min(0).pow(decision.gamma) * clip
    return contrast * gain


def _pose(settings: AugmentationSettings, rng: np.random.Generator) -> NDArray[np.float64]:
    """(3, 3) of (z, y, x): rotations around the three axes times a size for each axis."""
    turn = np.deg2rad(rng.uniform(-settings.rotation_deg, settings.rotation_deg))
    pitch, roll = np.deg2rad(rng.uniform(-settings.tilt_deg, settings.tilt_deg, size=2))
    size = 1 / rng.uniform(*settings.scale)
    sizes = size * np.exp(rng.uniform(-settings.stretch, settings.stretch, size=3))
    rotation = _plane(1, 2, turn) @ _plane(0, 1, pitch) @ _plane(0, 2, roll)
    return np.asarray(rotation @ np.diag(sizes), dtype=np.float64)


def _plane(a: int, b: int, angle: float) -> NDArray[np.float64]:
    matrix = np.eye(3)
    matrix[[a, b], [a, b]] = np.cos(angle)
    matrix[a, b], matrix[b, a] = -np.sin(angle), np.sin(angle)
    return matrix


def _sampling_grid(
    decision: Decision,
    source: tuple[int, ...],
    patch: tuple[int, int, int],
    spacing_mm: tuple[float, float, float],
) -> Tensor:
    """(1, *patch, 3): where grid_sample looks, in (x, y, z) of -1 to 1 over the source."""
    spacing = np.array(spacing_mm)
    half_source_mm = np.array(source) * spacing / 2
    half_patch_mm = np.array(patch) * spacing / 2
    to_source = decision.matrix * half_patch_mm / half_source_mm[:, np.newaxis]
    theta = np.zeros((1, 3, 4), dtype=np.float32)
    theta[0, :, :3] = to_source[::-1, ::-1]
    grid = functional.affine_grid(torch.from_numpy(theta), [1, 1, *patch], align_corners=False)
    if decision.bend_mm is None:
        return grid
    bend = decision.bend_mm / half_source_mm[:, np.newaxis, np.newaxis, np.newaxis]
    control = torch.from_numpy(bend[::-1].astype(np.float32))[None]
    moved = functional.interpolate(control, patch, mode="trilinear", align_corners=True)
    return grid + moved.permute(0, 2, 3, 4, 1)


def _swap_table() -> Tensor:
    names = [s.name for s in STRUCTURES]
    swapped = []
    for name in names:
        other = name.replace("_left", "_?").replace("_right", "_left").replace("_?", "_right")
        swapped.append(names.index(other))
    return torch.tensor(swapped, dtype=torch.uint8)


_SWAPPED = _swap_table()
