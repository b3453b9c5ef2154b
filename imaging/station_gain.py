"""How much brighter one station is than its neighbour."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from imaging.body import body_mask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from imaging.station_grid import PlacedStation

_FEWEST_VOXELS = 50


@dataclass(frozen=True, eq=False)
class Seam:
    """What two neighbouring stations show of one place: bool and images (n, row, column).

    `shared` is True where both show the same slices, False where these are the two that face
    each other. `body` is True where both show the patient.
    """

    lower: PlacedStation
    upper: PlacedStation
    shared: bool
    body: NDArray[np.bool_] = field(repr=False)

    def images(self, b_value: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the slices of the lower and of the upper station at `b_value`."""
        return facing_slices(self.lower, self.upper, b_value)

    @property
    def covered(self) -> NDArray[np.bool_] | None:
        """Voxels of the shared slices that both stations reach; None where that is all."""
        reached = None
        start = self.upper.first_slice - self.lower.first_slice
        for station, first in ((self.lower, start), (self.upper, 0)):
            if station.inside is not None:
                inside = station.inside[first : first + len(self.body)]
                reached = inside if reached is None else reached & inside
        return reached


def seam(lower: PlacedStation, upper: PlacedStation, b_value: float) -> Seam:
    """Find what two stations share; the body is looked for at `b_value`, best the lowest."""
    both = _geometric_mean(*facing_slices(lower, upper, b_value))
    body = body_mask(both) & (both > 0)
    return Seam(lower, upper, overlap(lower, upper) > 0, body)


def signal_ratio(place: Seam, b_value: float) -> float | None:
    """Return the robust ratio upper over lower of the signal at `b_value`, None if unmeasurable.

    The median of the voxels' log-ratios over the brighter half of the body in the shared slices.
    Where the stations only touch, over that half of it whose signal changes least towards the
    joint within each station, because there anatomy changes as well as gain.

    `tests/imaging/test_station_phantoms.py` holds how near gains of 0.7-1.4 are found on phantoms
    with noise: always within 2 % where stations overlap, mostly where they only touch.
    """
    below, above = place.images(b_value)
    both = _geometric_mean(below, above)
    body = place.body & (both > 0)
    if np.count_nonzero(body) < _FEWEST_VOXELS:
        return None
    # Chosen by the geometric mean, which favours neither side; dim voxels are Rician noise.
    body &= both >= np.median(both[body])
    if not place.shared:
        change = _change_towards_joint(place, b_value)
        if change is not None:
            body &= change <= np.median(change[body])
    return float(np.exp(np.median(np.log(above[body] / below[body]))))


def _change_towards_joint(place: Seam, b_value: float) -> NDArray[np.float32] | None:
    """Return the larger |log-ratio| of a station's last two slices, None for single slices."""
    below, above = place.lower.images[b_value], place.upper.images[b_value]
    if len(below) < 2 or len(above) < 2:
        return None
    pairs = ((below[-2], below[-1]), (above[0], above[1]))
    floor = np.float32(1e-6 * max(float(below[-1].max()), float(above[0].max())))
    changes = [np.abs(np.log(np.maximum(b, floor) / np.maximum(a, floor))) for a, b in pairs]
    larger: NDArray[np.float32] = np.maximum(*changes)[np.newaxis]
    return larger


def _geometric_mean(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    mean: NDArray[np.float32] = np.sqrt(np.maximum(a, 0) * np.maximum(b, 0))
    return mean


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
