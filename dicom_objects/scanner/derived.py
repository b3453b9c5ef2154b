"""What scanners calculate from the trace images, or calculate the trace images from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imaging.diffusion import Station

_ADC_NOISE_FLOOR = 0.02
"""Vendors blank their ADC map where the low-b signal is below this share of the brightest."""
WEIGHTED_FROM = 10.0
"""Below this b-value in s/mm² an image counts as b 0."""


@dataclass(frozen=True)
class Direction:
    """One diffusion direction and its signal relative to the trace image."""

    name: str
    """Philips' letter for it: measurement, phase encoding or slice axis."""
    gradient: tuple[float, float, float]
    factor: float


DIRECTIONS = (
    Direction("M", (1.0, 0.0, 0.0), 1.25),
    Direction("P", (0.0, 1.0, 0.0), 1.0),
    Direction("S", (0.0, 0.0, 1.0), 0.8),
)
"""Three axes whose geometric mean is the trace image, as scanners form it: the product is 1."""


def vendor_adc(station: Station) -> NDArray[np.float32]:
    """Two-point ADC in 1e-6 mm²/s from the lowest and the highest b-value; 0 is background."""
    b_values = station.volume.b_values
    low, high = station.volume.images[b_values[0]], station.volume.high_b
    valid = (low > _ADC_NOISE_FLOOR * low.max()) & (high > 0)
    ratio = np.divide(low, high, out=np.ones_like(low), where=valid)
    adc = np.log(ratio) / (b_values[-1] - b_values[0]) * 1e6
    return np.clip(adc, 0.0, 4095.0).astype(np.float32)


def computed_image(station: Station, b: float) -> NDArray[np.float32]:
    """Extrapolate the signal at `b` in s/mm² from the vendor's ADC; 0 is background."""
    adc, volume = vendor_adc(station), station.volume
    signal = volume.high_b * np.exp(-(b - volume.b_values[-1]) * adc * 1e-6)
    return np.where(adc > 0, signal, np.float32(0)).astype(np.float32)
