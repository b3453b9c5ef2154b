"""Smooth random fields: what makes synthetic tissue and outlines irregular."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Field = NDArray[np.float32]


def stretch(field: Field, shape: tuple[int, int, int]) -> Field:
    """Linear interpolation of a coarse field so that its corners meet the corners of `shape`."""
    result = field
    for axis, size in enumerate(shape):
        result = _stretch_axis(result, axis, size)
    return result


def _stretch_axis(field: Field, axis: int, size: int) -> Field:
    position = np.linspace(0.0, field.shape[axis] - 1.0, size)
    lower = np.minimum(position.astype(np.intp), max(field.shape[axis] - 2, 0))
    upper = np.minimum(lower + 1, field.shape[axis] - 1)
    along = [1, 1, 1]
    along[axis] = size
    weight = (position - lower).astype(np.float32).reshape(along)
    low = np.take(field, lower, axis)
    high = np.take(field, upper, axis)
    high -= low
    high *= weight
    low += high
    return low


def smooth_noise(
    shape: tuple[int, int, int], cell: tuple[float, float, float], rng: np.random.Generator
) -> Field:
    """Zero-mean noise of unit deviation whose grains are about `cell` voxels along each axis."""
    coarse = tuple(max(3, int(n / c) + 3) for n, c in zip(shape, cell, strict=True))
    lattice = rng.standard_normal(coarse).astype(np.float32)
    lattice = ndimage.gaussian_filter(lattice, 0.7).astype(np.float32)
    lattice -= lattice.mean()
    lattice /= max(float(lattice.std()), 1e-6)
    return stretch(lattice, shape)
