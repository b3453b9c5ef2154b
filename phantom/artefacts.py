"""What a scanner does to ideal images: gain, coil bias, noise, shifts, ghosts and residual fat."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from phantom.fields import Field, smooth_noise
from phantom.tissue import Tissue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from phantom.body import Body


@dataclass(frozen=True)
class StationFlaws:
    """What one station suffers. Signal is relative to muscle S0 of 60."""

    gain: float
    gain_spread: float
    bias: float
    """Deviation of the coil's sensitivity."""
    sigma: float
    """Deviation of the noise in each of the two receiver channels."""
    ghost: float
    shift_rows: Mapping[float, float]
    """Displacement along the phase-encode (row) axis by b-value, in pixels."""
    scale_rows: Mapping[float, float]
    """Relative stretch along the same axis by b-value."""

    def for_station(self, rng: np.random.Generator) -> StationFlaws:
        """Vary what differs between stations of one study."""
        return replace(
            self,
            gain=float(np.clip(np.exp(rng.normal(0, self.gain_spread)), 0.75, 1.3)),
            shift_rows={b: s + float(rng.normal(0, 0.12)) for b, s in self.shift_rows.items()},
        )


def draw_flaws(rng: np.random.Generator, b_values: tuple[float, ...]) -> StationFlaws:
    """Draw what one study suffers."""
    return StationFlaws(
        gain=1.0,
        gain_spread=float(rng.uniform(0.02, 0.15)),
        bias=float(rng.uniform(0.04, 0.16)),
        sigma=float(np.exp(rng.uniform(np.log(1.2), np.log(4.2)))),
        ghost=float(rng.uniform(0.01, 0.045)) if rng.random() < 0.2 else 0.0,
        shift_rows={b: float(rng.normal(0, 0.25)) for b in b_values},
        scale_rows={b: float(rng.normal(0, 0.002)) for b in b_values},
    )


def residual_fat(body: Body, rng: np.random.Generator) -> Field | None:
    """S0 of fat that STIR leaves in some persons, worse towards the edges; None if good."""
    draw, amount = rng.random(), rng.uniform(10, 55)
    cell = [90.0 / s for s in body.geometry.spacing_mm]
    if draw > 0.3:
        return None
    patches = smooth_noise(body.tissue.shape, (cell[0], cell[1], cell[2]), rng)
    np.clip(patches - np.float32(0.3), 0, 2, out=patches)
    columns = np.abs(np.linspace(-1, 1, body.tissue.shape[2], dtype=np.float32))
    patches *= (0.3 + columns) * np.float32(amount)
    patches *= (body.tissue == Tissue.FAT) | (body.tissue == Tissue.VISCERAL_FAT)
    return patches


def signal_loss(body: Body, rng: np.random.Generator) -> Field:
    """Factor on the signal: loss near gas and, in some persons, around dental metal."""
    spacing = body.geometry.spacing_mm
    amount, spread, dental = rng.uniform(0.2, 0.9), rng.uniform(3.0, 6.0), rng.random() < 0.3
    gas = (body.tissue == Tissue.GAS).astype(np.float32)
    near = ndimage.gaussian_filter(gas, [spread / s for s in spacing])
    factor: Field = np.clip(1 - np.float32(amount) * near, 0.1, 1).astype(np.float32)
    radius = rng.uniform(18, 38)
    if dental:
        axes = [
            ((np.arange(n) - t) * s / radius) ** 2
            for n, s, t in zip(factor.shape, spacing, body.teeth, strict=True)
        ]
        away = axes[0][:, None, None] + axes[1][None, :, None] + axes[2][None, None, :]
        factor *= (1 - 0.95 * np.exp(-(away**2))).astype(np.float32)
    return factor


def apply_flaws(image: Field, b: float, flaws: StationFlaws, rng: np.random.Generator) -> Field:
    """Return the magnitude image of one b-value of one station."""
    seen = _displace_rows(image, flaws.shift_rows[b], flaws.scale_rows[b])
    if flaws.ghost:
        seen = seen + np.float32(flaws.ghost) * np.roll(seen, seen.shape[1] // 2, axis=1)
    seen = seen * np.float32(flaws.gain)
    seen *= _sensitivity(image.shape, flaws.bias, flaws.gain)
    real = rng.standard_normal(seen.shape, dtype=np.float32)
    real *= np.float32(flaws.sigma)
    real += seen
    imaginary = rng.standard_normal(seen.shape, dtype=np.float32)
    imaginary *= np.float32(flaws.sigma)
    magnitude: Field = np.hypot(real, imaginary)
    return magnitude


def _sensitivity(shape: tuple[int, ...], bias: float, key: float) -> Field:
    """Return the coil's sensitivity, drawn from the gain: the same for every b of a station."""
    rng = np.random.default_rng(int(abs(key) * 1e9))
    size = (shape[0], shape[1], shape[2])
    field = smooth_noise(size, (size[0] / 2.0, size[1] / 2.5, size[2] / 2.5), rng)
    field *= np.float32(bias)
    field += 1
    np.maximum(field, np.float32(0.4), out=field)
    return field


def _displace_rows(image: Field, shift: float, scale: float) -> Field:
    """Shift and stretch along rows (axis 1) with linear interpolation."""
    n = image.shape[1]
    middle = (n - 1) / 2
    source = (np.arange(n) - middle) * (1 + scale) + middle - shift
    source = np.clip(source, 0, n - 1)
    lower = np.minimum(source.astype(np.intp), n - 2)
    weight = (source - lower).astype(np.float32)[None, :, None]
    moved: Field = image[:, lower] * (1 - weight) + image[:, lower + 1] * weight
    return moved
