"""ADC and S0 from diffusion-weighted images: the mono-exponential model S(b) = S0 exp(-b ADC)."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from imaging.errors import UnusableImages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from imaging.diffusion import DiffusionVolume

Weighting = Literal["signal", "none"]
PERFUSION_B = 10.0
"""Below this b-value (s/mm²) perfusion adds to the decay: left out where two others exist."""
NOISE_FRACTION = 0.02
"""Signal at the lowest b below this share of the image's 99.5th percentile is noise."""
MAXIMUM_ADC_UM2_S = 5000.0
"""Free water at 37 °C is 3000 µm²/s; a fit far above it is noise, flow or motion."""
SCANNERS_MAP = "the scanner's own ADC map; how it was fitted is not known"
_CHUNK_VOXELS = 1 << 15
_MOST_THREADS = 4
_TINY = np.float32(1e-30)


@dataclass(frozen=True)
class AdcSettings:
    """How the decay is fitted; every field changes numbers and belongs to a result's provenance.

    `weighting` "signal" weighs each ln S by S², because var(ln S) ≈ σ²/S²: the most precise fit.
    "none" weighs all alike, the habit of the vendors' maps. With two b-values both are one.
    `exclude_perfusion` leaves b below 10 s/mm² out where two others exist.
    """

    weighting: Weighting = "signal"
    exclude_perfusion: bool = True

    def __post_init__(self) -> None:
        """Refuse a weighting that there is not.

        Raises:
            ValueError: the weighting is neither "signal" nor "none".

        """
        if self.weighting not in _METHODS:
            message = f"ADC weighting {self.weighting!r} is not known: use signal or none"
            raise ValueError(message)

    @property
    def method(self) -> str:
        """What results say about the fit."""
        perfusion = "" if self.exclude_perfusion else ", b below 10 s/mm2 included"
        return _METHODS[self.weighting] + perfusion


_METHODS = {
    "signal": "mono-exponential, weighted log-linear (weights S^2)",
    "none": "mono-exponential, log-linear, unweighted",
}


@dataclass(frozen=True, eq=False)
class AdcFit:
    """What the fit gives, each array (slice, row, column) float32.

    `adc_um2_s` is in µm²/s, NaN where there is no valid fit. `s0` is the signal extrapolated to
    b 0; where the fit is invalid it is the signal at the lowest b. `residual` is the root mean
    square of ln S - fit, NaN where invalid, and NaN everywhere where two b-values were fitted:
    a line through two points has no misfit, and 0 would read as a perfect fit. `b_values` are
    those that were fitted.
    """

    adc_um2_s: NDArray[np.float32] = field(repr=False)
    s0: NDArray[np.float32] = field(repr=False)
    residual: NDArray[np.float32] = field(repr=False)
    b_values: tuple[float, ...]
    method: str = AdcSettings().method

    @property
    def degrees_of_freedom(self) -> int:
        """How many b-values more than the two that a line needs: 0 means no fit quality."""
        return max(len(self.b_values) - 2, 0)


def fitted_b_values(
    b_values: Sequence[float], settings: AdcSettings = AdcSettings()
) -> tuple[float, ...]:
    """Return the b-values that enter the fit: those of at least 10 s/mm² when two such exist.

    Raises:
        UnusableImages: `ONE_SHELL_ONLY` when there are fewer than two b-values.

    """
    if len(b_values) < 2:
        listed = ", ".join(f"{b:g}" for b in b_values)
        message = f"only b {listed} s/mm² is there: ADC needs at least two b-values; send the other"
        raise UnusableImages(message, code="ONE_SHELL_ONLY")
    diffusing = tuple(b for b in b_values if b >= PERFUSION_B or not settings.exclude_perfusion)
    return diffusing if len(diffusing) >= 2 else tuple(b_values)


def fit_adc(volume: DiffusionVolume, settings: AdcSettings = AdcSettings()) -> AdcFit:
    """Fit ADC and S0 in every voxel (`clinical_and_console.md` A2).

    ADC = -Σ w (b - b̄)(ln S - ȳ) / Σ w (b - b̄)² with w = S² or 1, as the settings say. ADC is
    NaN, never 0 and never clipped, where a signal is not positive, where the signal at the
    lowest b is noise, and where the fit lies outside (0, 5000] µm²/s.

    Raises:
        UnusableImages: `ONE_SHELL_ONLY` when there are fewer than two b-values.

    """
    b_values = fitted_b_values(volume.b_values, settings)
    signals = [np.ascontiguousarray(volume.images[b], dtype=np.float32) for b in b_values]
    floor = max(noise_floor(signals[0]), 0.0)
    shape = signals[0].shape
    flat = [s.reshape(-1) for s in signals]
    adc, s0, residual = (np.empty(flat[0].size, dtype=np.float32) for _ in range(3))

    def fit(start: int) -> None:
        part = slice(start, start + _CHUNK_VOXELS)
        chunk = [s[part] for s in flat]
        adc[part], s0[part], residual[part] = _fit(b_values, chunk, floor, settings.weighting)

    # numpy lets go of the interpreter within a run of voxels, so threads use every core.
    with ThreadPoolExecutor(min(_MOST_THREADS, os.cpu_count() or 1)) as pool:
        list(pool.map(fit, range(0, adc.size, _CHUNK_VOXELS)))
    maps = (adc.reshape(shape), s0.reshape(shape), residual.reshape(shape))
    return AdcFit(*maps, b_values, settings.method)


def noise_floor(image: NDArray[np.float32]) -> float:
    """Signal below which the image at the lowest b holds no tissue."""
    sample = image.reshape(-1)[:: max(1, image.size // 1_000_000)]
    numbers = sample[np.isfinite(sample)]
    return float(NOISE_FRACTION * np.percentile(numbers, 99.5)) if numbers.size else 0.0


def computed_dwi(fit: AdcFit, b_value: float) -> NDArray[np.float32]:
    """Return the signal that the fit predicts at `b_value` (s/mm²); NaN where it is invalid."""
    signal: NDArray[np.float32] = fit.s0 * np.exp(fit.adc_um2_s * np.float32(-1e-6 * b_value))
    return signal


def signal_before_decay(
    signal: NDArray[np.float32], adc_um2_s: NDArray[np.float32], b_value: float
) -> NDArray[np.float32]:
    """Return S0 = S exp(b ADC), from which and `signal` a fit gives the same ADC again.

    Args:
        signal: float32 at `b_value` (s/mm²).
        adc_um2_s: of the same voxels, made elsewhere; where it is not within (0, 5000] µm²/s S0
            is the signal itself, so that no ADC comes of it.
        b_value: in s/mm².

    """
    valid = (adc_um2_s > 0) & (adc_um2_s <= MAXIMUM_ADC_UM2_S)
    before: NDArray[np.float32] = signal * np.exp(
        np.where(valid, adc_um2_s, np.float32(0)) * np.float32(1e-6 * b_value)
    )
    return before


def taken_over(fit: AdcFit) -> AdcFit:
    """Return the fit of a volume whose b 0 comes of the scanner's ADC map, saying so."""
    return replace(fit, b_values=fit.b_values[1:], method=SCANNERS_MAP)


class _Line(NamedTuple):
    """ln(S / S of the lowest b) = intercept + slope (b - lowest b), b in ms/µm²."""

    slope: NDArray[np.float32]
    intercept: NDArray[np.float32] | np.float32
    squares: NDArray[np.float32] | None
    """Sum of the squared misfits; None where a line has none."""


def _fit(
    b_values: tuple[float, ...],
    signals: list[NDArray[np.float32]],
    floor: float,
    weighting: Weighting,
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """ADC, S0 and residual of one run of voxels that stays in the processor's cache."""
    lowest = signals[0]
    valid = lowest > floor
    for signal in signals[1:]:
        valid &= signal > 0
    base: NDArray[np.float32] = np.where(valid, lowest, np.float32(1))
    ratios = [np.divide(s, base, out=np.ones_like(base), where=valid) for s in signals[1:]]
    # b in ms/µm² keeps every intermediate near one, so float32 loses nothing that matters.
    steps = [np.float32((b - b_values[0]) / 1000.0) for b in b_values[1:]]
    line = _line(steps, ratios, weighting)
    adc = line.slope * np.float32(-1000.0)
    valid &= (adc > 0) & (adc <= MAXIMUM_ADC_UM2_S)
    nan = np.float32(np.nan)
    adc = np.where(valid, adc, nan)
    exponent = line.intercept - line.slope * np.float32(b_values[0] / 1000.0)
    s0 = np.where(valid, base * np.exp(np.where(valid, exponent, np.float32(0))), lowest)
    if line.squares is None:
        residual = np.full_like(adc, nan)
    else:
        residual = np.where(valid, np.sqrt(line.squares / np.float32(len(b_values))), nan)
    return adc, np.fmax(s0, np.float32(0)), residual


def _line(
    steps: list[np.float32], ratios: list[NDArray[np.float32]], weighting: Weighting
) -> _Line:
    """Least squares through (0, 0) and (step, ln ratio), the lowest b's weight being one."""
    logs: list[NDArray[np.float32]] = [np.log(r) for r in ratios]
    if len(steps) == 1:
        return _Line(logs[0] / steps[0], np.float32(0), None)
    one = np.float32(1)
    weights = [np.square(r) if weighting == "signal" else one for r in ratios]
    weighted = [w * y for w, y in zip(weights, logs, strict=True)]
    total = sum(weights, one)
    sum_x = sum(w * x for w, x in zip(weights, steps, strict=True))
    sum_xx = sum(w * (x * x) for w, x in zip(weights, steps, strict=True))
    sum_y = sum(weighted)
    sum_xy = sum(wy * x for wy, x in zip(weighted, steps, strict=True))
    spread = np.maximum(total * sum_xx - sum_x * sum_x, _TINY)
    slope = np.asarray((total * sum_xy - sum_x * sum_y) / spread, dtype=np.float32)
    intercept = np.asarray((sum_y - slope * sum_x) / total, dtype=np.float32)
    squares: NDArray[np.float32] = np.square(intercept)
    for step, y in zip(steps, logs, strict=True):
        squares += np.square(y - intercept - slope * step)
    return _Line(slope, intercept, squares)
