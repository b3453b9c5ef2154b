"""How much brighter one station is than its neighbour."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from imaging.body import body_mask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from imaging.station_grid import PlacedStation

_FEWEST_VOXELS = 50


def signal_ratio(lower: PlacedStation, upper: PlacedStation, b_value: float) -> float | None:
    """Return the robust ratio upper over lower of the signal at `b_value`, None if unmeasurable.

    The median of the voxels' log-ratios over the brighter half of the body in the shared slices,
    or between the two facing slices where the stations only touch.
    """
    below, above = facing_slices(lower, upper, b_value)
    both = np.sqrt(np.maximum(below, 0) * np.maximum(above, 0))
    body = body_mask(both) & (both > 0)
    if np.count_nonzero(body) < _FEWEST_VOXELS:
        return None
    # Chosen by the geometric mean, which favours neither side; dim voxels are Rician noise.
    body &= both >= np.median(both[body])
    return float(np.exp(np.median(np.log(above[body] / below[body]))))


def facing_slices(
    lower: PlacedStation, upper: PlacedStation, b_value: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the slices that both stations show, or the two that face each other."""
    shared = overlap(lower, upper)
    below, above = lower.images[b_value], upper.images[b_value]
    if shared == 0:
        return below[-1:], above[:1]
    start = upper.first_slice - lower.first_slice
    return below[start : start + shared], above[:shared]


def overlap(lower: PlacedStation, upper: PlacedStation) -> int:
    """Return the number of slices that both stations show."""
    return max(0, min(lower.stop_slice, upper.stop_slice) - upper.first_slice)


def factors(ratios: Sequence[float]) -> tuple[float, ...]:
    """Return one factor for each station that undoes the ratios; 1.0 for the middle station.

    `ratios` are upper over lower at the joints from feet to head.
    """
    levels = np.concatenate([[1.0], np.cumprod(np.asarray(ratios, dtype=np.float64))])
    return tuple(float(f) for f in levels[len(levels) // 2] / levels)
