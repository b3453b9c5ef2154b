"""Whether two stations show the same body at the same place where they overlap."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import fft

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imaging.geometry import Geometry

FARTHEST_MM = 30.0
"""Shifts within the plane are looked for up to here."""
_MOST_SLICES = 2
_FEWEST_PAIRS = 2
_CLEAR = 0.5
"""A best correlation below this is no match, so it says nothing about a shift."""


class Alignment(NamedTuple):
    """How well two stations agree: `correlation` as they lie, and the shift that agrees best.

    `shift_mm` is LPS (x, y, z), from where the lower station shows the body to where the upper
    one does; None where no shift gives a clear match. Along the slices it is looked for up to
    two slices, and 0 where they overlap by fewer than three.
    """

    correlation: float
    shift_mm: tuple[float, float, float] | None


def alignment(
    lower: NDArray[np.float32], upper: NDArray[np.float32], grid: Geometry
) -> Alignment | None:
    """Compare the slices that two stations share, (n, row, column) each on axes of `grid`.

    Normalised cross-correlation of the two stacks over shifts, by Fourier transform within the
    plane and slice by slice along it; a parabola through the best shift and its neighbours gives
    fractions of a voxel. None where one of them is empty.
    """
    scores = {dz: _scores(lower, upper, dz) for dz in _slice_shifts(len(lower))}
    as_they_lie = scores[0]
    if as_they_lie is None:
        return None
    correlation = float(as_they_lie[0, 0])
    peaks = {dz: _peak(s, grid) for dz, s in scores.items() if s is not None}
    best = max(peaks, key=lambda dz: peaks[dz][0])
    score, rows, columns = peaks[best]
    if score < _CLEAR:
        return Alignment(correlation, None)
    line = [peaks[dz][0] if dz in peaks else None for dz in (best - 1, best, best + 1)]
    steps = np.array([best + _vertex(*line), rows, columns])
    x, y, z = (float(v) for v in grid.affine[:3, :3] @ steps)
    return Alignment(correlation, (x, y, z))


def _slice_shifts(n_slices: int) -> range:
    most = min(_MOST_SLICES, max(0, n_slices - _FEWEST_PAIRS))
    return range(-most, most + 1)


def _scores(
    lower: NDArray[np.float32], upper: NDArray[np.float32], dz: int
) -> NDArray[np.float32] | None:
    """Correlation (row shift, column shift), cyclic, of lower[k] with upper[k + dz]."""
    n = len(lower)
    a = lower[max(0, -dz) : n - max(0, dz)]
    b = upper[max(0, dz) : n - max(0, -dz)]
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt(np.square(a).sum(dtype=np.float64) * np.square(b).sum(dtype=np.float64)))
    if size <= 0:
        return None
    cross = (np.conj(fft.rfft2(a)) * fft.rfft2(b)).sum(axis=0)
    return np.asarray(fft.irfft2(cross, a.shape[1:]) / size, dtype=np.float32)


def _peak(scores: NDArray[np.float32], grid: Geometry) -> tuple[float, float, float]:
    """Return the best score within reach and its shift in rows and columns, with fractions."""
    pixels = zip(grid.spacing_mm[1:], scores.shape, strict=True)
    reach = [int(min(FARTHEST_MM / mm, (n - 1) // 2)) for mm, n in pixels]
    near = np.roll(scores, reach, axis=(0, 1))[: 2 * reach[0] + 1, : 2 * reach[1] + 1]
    j, i = divmod(int(near.argmax()), near.shape[1])
    rows = _vertex(*(_at(near, j + k, i) for k in (-1, 0, 1)))
    columns = _vertex(*(_at(near, j, i + k) for k in (-1, 0, 1)))
    return float(near[j, i]), float(j - reach[0] + rows), float(i - reach[1] + columns)


def _at(scores: NDArray[np.float32], j: int, i: int) -> float | None:
    inside = 0 <= j < scores.shape[0] and 0 <= i < scores.shape[1]
    return float(scores[j, i]) if inside else None


def _vertex(before: float | None, middle: float | None, after: float | None) -> float:
    """Where a parabola through three neighbours is highest, from the middle one; 0 at an edge."""
    if before is None or middle is None or after is None:
        return 0.0
    bend = before - 2 * middle + after
    return 0.0 if bend >= 0 else float(np.clip(0.5 * (before - after) / bend, -0.5, 0.5))
