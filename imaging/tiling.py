"""Slabs of slices: what one request to a model holds, and how the answers blend."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Slab:
    """Slices `start` to `stop` (exclusive); `weights` float32 (stop - start) for its answer."""

    start: int
    stop: int
    weights: NDArray[np.float32] = field(repr=False)


def slabs(n_slices: int, size: int, overlap: int) -> tuple[Slab, ...]:
    """Cover `n_slices` with slabs of `size` that overlap by at least `overlap` slices.

    The slabs are spread evenly. Their weights rise and fall linearly over the overlaps and sum
    to one at every slice.

    Raises:
        ValueError: no slices, or `overlap` is not in [0, size).

    """
    if n_slices < 1 or not 0 <= overlap < size:
        message = f"cannot cover {n_slices} slices with slabs of {size} that overlap by {overlap}"
        raise ValueError(message)
    if size >= n_slices:
        return (Slab(0, n_slices, np.ones(n_slices, dtype=np.float32)),)
    n_slabs = -(-(n_slices - overlap) // (size - overlap))
    starts = np.round(np.linspace(0, n_slices - size, n_slabs)).astype(int).tolist()
    raw = [_ramps(starts, n, size) for n in range(n_slabs)]
    total = np.zeros(n_slices)
    for start, weights in zip(starts, raw, strict=True):
        total[start : start + size] += weights
    return tuple(
        Slab(start, start + size, (weights / total[start : start + size]).astype(np.float32))
        for start, weights in zip(starts, raw, strict=True)
    )


def _ramps(starts: list[int], n: int, size: int) -> NDArray[np.float64]:
    weights = np.ones(size)
    if n > 0:
        shared = starts[n - 1] + size - starts[n]
        weights[:shared] *= np.arange(1, shared + 1) / (shared + 1)
    if n + 1 < len(starts):
        shared = starts[n] + size - starts[n + 1]
        weights[size - shared :] *= np.arange(shared, 0, -1) / (shared + 1)
    return weights
