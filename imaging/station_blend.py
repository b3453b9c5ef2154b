"""Stations that lie on one grid as one volume: corrected, blended where they overlap."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from imaging.station_gain import overlap

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from imaging.station_grid import PlacedStation

_MOST_THREADS = 4


def blend(
    placed: Sequence[PlacedStation], corrections: Sequence[float], shape: tuple[int, int, int]
) -> dict[float, NDArray[np.float32]]:
    """Return the volume of each b-value, `shape` (slice, row, column) float32.

    Each station times its correction, weighted by ramps over the overlaps; 0 where no station
    shows anything. A slice between two stations that no station reaches (they lie a little
    further apart than their slices) is interpolated from the slices next to it.
    """
    ramps = _ramps(placed)
    factors = [np.float32(c) for c in corrections]
    images = {b: np.empty(shape, dtype=np.float32) for b in placed[0].images}

    def fill(z: int) -> bool:
        there = [n for n, p in enumerate(placed) if p.first_slice <= z < p.stop_slice]
        weights = [_weight(placed[n], ramps[n], z) for n in there]
        total = np.asarray(sum(weights, np.float32(0)))
        scale = np.divide(1, total, out=np.zeros_like(total), where=total > 0)
        shares = [w * scale * factors[n] for n, w in zip(there, weights, strict=True)]
        for b, volume in images.items():
            own = [placed[n].images[b][z - placed[n].first_slice] for n in there]
            _sum_into(volume[z], own, shares)
        return bool(total.any())

    # numpy lets go of the interpreter within a slice, so threads use every core.
    with ThreadPoolExecutor(min(_MOST_THREADS, os.cpu_count() or 1)) as pool:
        reached = list(pool.map(fill, range(shape[0])))
    _bridge(images, np.flatnonzero(reached))
    return images


def _sum_into(
    result: NDArray[np.float32],
    images: Sequence[NDArray[np.float32]],
    shares: Sequence[NDArray[np.float32]],
) -> None:
    if not images:
        result.fill(0)
        return
    np.multiply(images[0], shares[0], out=result)
    for image, share in zip(images[1:], shares[1:], strict=True):
        result += image * share


def _weight(
    station: PlacedStation, ramp: NDArray[np.float32], z: int
) -> NDArray[np.float32] | np.float32:
    """Weight of a station in a slice of the grid: one number, or one for each pixel."""
    k = z - station.first_slice
    if station.inside is None:
        return np.float32(ramp[k])
    weight: NDArray[np.float32] = station.inside[k] * ramp[k]
    return weight


def _ramps(placed: Sequence[PlacedStation]) -> list[NDArray[np.float32]]:
    ramps = [np.ones(p.stop_slice - p.first_slice, dtype=np.float32) for p in placed]
    for n, (lower, upper) in enumerate(pairwise(placed)):
        if shared := overlap(lower, upper):
            rise = np.arange(1, shared + 1, dtype=np.float32) / (shared + 1)
            start = upper.first_slice - lower.first_slice
            ramps[n][start : start + shared] *= rise[::-1]
            ramps[n + 1][:shared] *= rise
    return ramps


def _bridge(images: Mapping[float, NDArray[np.float32]], reached: NDArray[np.intp]) -> None:
    """Interpolate the slices between reached ones linearly."""
    for below, above in pairwise(int(z) for z in reached):
        for z in range(below + 1, above):
            share = np.float32((z - below) / (above - below))
            for volume in images.values():
                volume[z] = volume[below] * (1 - share) + volume[above] * share
