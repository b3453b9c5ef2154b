"""Linear resampling between grids whose axes are parallel: one small matrix for each axis."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imaging.geometry import Geometry

SMOOTHING_RATIO = 1.3
"""A target voxel larger than this many source voxels averages over its own width."""
_ALIGNED_VOXELS = 0.02
"""How far an axis may stray sideways over its whole length and still count as parallel."""


@dataclass(frozen=True, eq=False)
class AxisMap:
    """One target axis: `source_axis` of the source array, weights (n_target, n_source).

    Rows of `weights` sum to one, or to zero where the target voxel lies outside the source by
    more than half a voxel.
    """

    source_axis: int
    weights: NDArray[np.float32] = field(repr=False)


def axis_maps(source: Geometry, target: Geometry) -> tuple[AxisMap, AxisMap, AxisMap] | None:
    """Return the three maps from `source` to `target`, or None where the axes are not parallel."""
    relative = np.linalg.inv(source.affine) @ target.affine
    steps, offsets = relative[:3, :3], relative[:3, 3]
    order = tuple(int(a) for a in np.abs(steps).argmax(axis=0))
    if sorted(order) != [0, 1, 2]:
        return None
    sideways = np.abs(steps) * np.array(target.shape)
    sideways[list(order), [0, 1, 2]] = 0
    if sideways.max() > _ALIGNED_VOXELS:
        return None
    maps = []
    for axis, from_axis in enumerate(order):
        positions = offsets[from_axis] + steps[from_axis, axis] * np.arange(target.shape[axis])
        weights = linear_weights(positions, source.shape[from_axis], abs(steps[from_axis, axis]))
        maps.append(AxisMap(from_axis, weights))
    return maps[0], maps[1], maps[2]


def linear_weights(
    positions: NDArray[np.float64], n_source: int, ratio: float
) -> NDArray[np.float32]:
    """Weights (n_target, n_source) of a triangle around each position (in source voxels).

    The triangle is one source voxel wide to each side (linear interpolation), or one target
    voxel where `ratio` (target over source spacing) is above 1.3, so that shrinking averages.
    """
    rounded = np.round(positions, 6)
    half_width = ratio if ratio > SMOOTHING_RATIO else 1.0
    inside = (rounded >= -0.5) & (rounded <= n_source - 0.5)
    clamped = np.clip(rounded, 0, n_source - 1)
    distance = np.abs(clamped[:, np.newaxis] - np.arange(n_source)[np.newaxis])
    weights = np.maximum(0.0, 1.0 - distance / half_width)
    weights *= inside[:, np.newaxis] / weights.sum(axis=1, keepdims=True)
    return weights.astype(np.float32)


def apply_maps(
    array: NDArray[np.float32], maps: tuple[AxisMap, AxisMap, AxisMap]
) -> NDArray[np.float32]:
    """Resample `array` (its axes as the source's) to the target's shape; 0 outside the source."""
    turned = array.transpose([m.source_axis for m in maps])
    slices, rows, columns = maps
    return in_plane(along_first(turned, slices.weights), rows.weights, columns.weights)


def along_first(array: NDArray[np.float32], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Resample the first axis: (n_source, ...) → (n_target, ...)."""
    picked = _picked(weights)
    if picked is not None:
        return array[picked]
    flat = np.ascontiguousarray(array).reshape(array.shape[0], -1)
    moved: NDArray[np.float32] = weights @ flat
    return moved.reshape(weights.shape[0], *array.shape[1:])


def in_plane(
    array: NDArray[np.float32], rows: NDArray[np.float32], columns: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Resample the last two axes: (..., J, I) → (..., j, i)."""
    moved: NDArray[np.float32] = np.matmul(rows, np.matmul(array, columns.T))
    return moved


def _picked(weights: NDArray[np.float32]) -> slice | None:
    """Return the slice that does the same as `weights`, where rows pick successive voxels."""
    chosen = weights.argmax(axis=1)
    if not (weights[np.arange(len(chosen)), chosen] == 1.0).all():
        return None
    if len(chosen) > 1 and not (np.diff(chosen) == 1).all():
        return None
    return slice(int(chosen[0]), int(chosen[0]) + len(chosen))
