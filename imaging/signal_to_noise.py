"""How far the signal at the highest b-value stands above the noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from imaging.quality import QualityNote
from imaging.quality_limits import USUAL_LIMITS
from imaging.rim import far_air

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from imaging.geometry import Geometry
    from imaging.quality_limits import QualityLimits

_RAYLEIGH_MEDIAN = 1.1774
"""Median of the magnitude of noise of deviation 1 in each of two channels: sqrt(2 ln 2)."""
_FEWEST_VOXELS = 500
_LEAST_SHARE = 0.5


def noise_sigma(image: NDArray[np.float32], air: NDArray[np.bool_]) -> float | None:
    """Deviation of the noise in each receiver channel, from air; None where air was set to 0."""
    values = image[air]
    noisy = values[values > 0]
    if noisy.size < max(_FEWEST_VOXELS, _LEAST_SHARE * values.size):
        return None
    return float(np.median(noisy)) / _RAYLEIGH_MEDIAN


def signal_to_noise(
    high_b: NDArray[np.float32],
    body: NDArray[np.bool_],
    geometry: Geometry,
    limits: QualityLimits = USUAL_LIMITS,
) -> float | None:
    """Median of the body over the noise in the air, no unit; None where it cannot be known.

    Arrays (slice, row, column). Scanners that blank the air leave no noise to measure.
    """
    sigma = noise_sigma(high_b, far_air(body, geometry, limits.air_distance_mm))
    if sigma is None or np.count_nonzero(body) < _FEWEST_VOXELS:
        return None
    return float(np.median(high_b[body])) / sigma


def low_signal_note(
    by_station: Mapping[str, float | None], limits: QualityLimits = USUAL_LIMITS
) -> QualityNote | None:
    """Return `LOW_SIGNAL` for the stations whose ratio is too low; `measured` is the lowest."""
    low = {
        name: ratio
        for name, ratio in by_station.items()
        if ratio is not None and ratio < limits.least_signal_to_noise
    }
    if not low:
        return None
    text = (
        f"At the highest b-value the body's signal is {min(low.values()):.1f} times the noise in "
        f"{', '.join(low)}; ADC is too low where signal drowns in noise."
    )
    return QualityNote("LOW_SIGNAL", "warning", text, min(low.values()))
