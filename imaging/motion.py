"""Motion between b-values: whether the highest shows the body where the lowest does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from imaging.quality import QualityNote
from imaging.quality_limits import USUAL_LIMITS
from imaging.station_shift import alignment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from imaging.geometry import Geometry
    from imaging.quality_limits import QualityLimits

_ABOVE_AIR = 2.0


def shift_between_mm(
    low_b: NDArray[np.float32],
    high_b: NDArray[np.float32],
    body: NDArray[np.bool_],
    geometry: Geometry,
) -> float | None:
    """Distance in mm by which the body moved between two b-values of one station.

    The logarithms of both images are correlated: they show outline and organs alike at every b,
    while noise in the air is cut off. Along the body less than a slice counts as none. None where
    no shift gives a clear match.

    Args:
        low_b: image at the lowest b-value (slice, row, column).
        high_b: image at the highest b-value, the same shape.
        body: inside the patient, the same shape.
        geometry: the grid of the images.

    """
    found = alignment(_outlined(low_b, body), _outlined(high_b, body), geometry)
    if found is None or found.shift_mm is None:
        return None
    shift = np.array(found.shift_mm)
    along = geometry.affine[:3, 0] / geometry.spacing_mm[0]
    if abs(shift @ along) < geometry.spacing_mm[0]:
        shift -= (shift @ along) * along  # a tube like the body tells little about it
    return float(np.linalg.norm(shift))


def motion_note(
    by_station: Mapping[str, float | None],
    geometry: Geometry,
    limits: QualityLimits = USUAL_LIMITS,
) -> QualityNote | None:
    """Return `MOTION` for the stations that moved too far; `measured` is the largest shift in mm.

    Shifts below a voxel of the plane are not told apart from distortion.
    """
    least_mm = max(limits.motion_mm, *geometry.spacing_mm[1:])
    moved = {n: mm for n, mm in by_station.items() if mm is not None and mm > least_mm}
    if not moved:
        return None
    text = (
        f"The body lies up to {max(moved.values()):.0f} mm aside between the lowest and the "
        f"highest b-value in {', '.join(moved)}; ADC is wrong at every edge there."
    )
    return QualityNote("MOTION", "warning", text, max(moved.values()))


def _outlined(image: NDArray[np.float32], body: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Logarithm of the signal above that of air, 0 in air."""
    air = image[~body]
    floor = _ABOVE_AIR * float(np.median(air)) if air.size else 0.0
    floor = max(floor, 0.02 * float(np.percentile(image, 99.5)), 1e-6)
    return np.log(np.maximum(image, np.float32(floor)) / np.float32(floor))
