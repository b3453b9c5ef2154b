"""ADC and S0 from diffusion-weighted images: the mono-exponential model S(b) = S0 exp(-b ADC)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from imaging.errors import UnusableImages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from imaging.diffusion import DiffusionVolume

METHOD = "mono-exponential, weighted log-linear (weights S^2)"
PERFUSION_B = 10.0
"""Below this b-value (s/mm²) perfusion adds to the decay: left out where two others exist."""
NOISE_FRACTION = 0.02
"""Signal at the lowest b below this share of the image's 99.5th percentile is noise."""
MAXIMUM_ADC_UM2_S = 5000.0
"""Free water at 37 °C is 3000 µm²/s; a fit far above it is noise, flow or motion."""
_CHUNK_VOXELS = 1 << 17


@dataclass(frozen=True, eq=False)
class AdcFit:
    """What the fit gives, each array (slice, row, column) float32.

    `adc_um2_s` is in µm²/s, NaN where there is no valid fit. `s0` is the signal extrapolated to
    b 0; where the fit is invalid it is the signal at the lowest b. `residual` is the root mean
    square of ln S - fit, NaN where invalid. `b_values` are those that were fitted.
    """

    adc_um2_s: NDArray[np.float32] = field(repr=False)
    s0: NDArray[np.float32] = field(repr=False)
    residual: NDArray[np.float32] = field(repr=False)
    b_values: tuple[float, ...]
    method: str = METHOD


def fitted_b_values(b_values: Sequence[float]) -> tuple[float, ...]:
    """Return the b-values that enter the fit: those of at least 10 s/mm² when two such exist.

    Raises:
        UnusableImages: `ONE_SHELL_ONLY` when there are fewer than two b-values.

    """
    if len(b_values) < 2:
        listed = ", ".join(f"{b:g}" for b in b_values)
        message = f"only b {listed} s/mm² is there: ADC needs at least two b-values; send the other"
        raise UnusableImages(message, code="ONE_SHELL_ONLY")
    diffusing = tuple(b for b in b_values if b >= PERFUSION_B)
    return diffusing if len(diffusing) >= 2 else tuple(b_values)


def fit_adc(volume: DiffusionVolume) -> AdcFit:
    """Fit ADC and S0 in every voxel (`clinical_and_console.md` A2).

    ADC = -Σ w (b - b̄)(ln S - ȳ) / Σ w (b - b̄)² with w = S², because var(ln S) ≈ σ²/S². ADC is
    NaN, never 0 and never clipped, where a signal is not positive, where the signal at the
    lowest b is noise, and where the fit lies outside (0, 5000] µm²/s.

    Raises:
        UnusableImages: `ONE_SHELL_ONLY` when there are fewer than two b-values.

    """
    b_values = fitted_b_values(volume.b_values)
    signals = [np.ascontiguousarray(volume.images[b], dtype=np.float32) for b in b_values]
    floor = noise_floor(signals[0])
    shape = signals[0].shape
    flat = [s.reshape(-1) for s in signals]
    adc, s0, residual = (np.empty(flat[0].size, dtype=np.float32) for _ in range(3))
    for start in range(0, adc.size, _CHUNK_VOXELS):
        part = slice(start, start + _CHUNK_VOXELS)
        adc[part], s0[part], residual[part] = _fit(b_values, [s[part] for s in flat], floor)
    return AdcFit(adc.reshape(shape), s0.reshape(shape), residual.reshape(shape), b_values)


def noise_floor(image: NDArray[np.float32]) -> float:
    """Signal below which the image at the lowest b holds no tissue."""
    sample = image.reshape(-1)[:: max(1, image.size // 1_000_000)]
    numbers = sample[np.isfinite(sample)]
    return float(NOISE_FRACTION * np.percentile(numbers, 99.5)) if numbers.size else 0.0


def computed_dwi(fit: AdcFit, b_value: float) -> NDArray[np.float32]:
    """Return the signal that the fit predicts at `b_value` (s/mm²); 0 where the fit is invalid."""
    signal = fit.s0 * np.exp(fit.adc_um2_s * np.float32(-1e-6 * b_value))
    return np.where(np.isnan(signal), np.float32(0), signal)


def _fit(
    b_values: tuple[float, ...], signals: list[NDArray[np.float32]], floor: float
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """ADC, S0 and residual of one run of voxels that stays in the processor's cache."""
    valid = signals[0] > floor
    for signal in signals:
        valid &= signal > 0
    largest = np.maximum.reduce(signals)
    np.copyto(largest, np.float32(1), where=~valid)
    logs = [np.log(np.where(valid, s, np.float32(1))) for s in signals]
    weights = [np.square(s / largest) for s in signals]
    # b in ms/µm² keeps every intermediate near one, so float32 loses nothing that matters.
    b = [np.float32(value / 1000.0) for value in b_values]
    total = np.maximum(sum(weights), np.float32(1e-12))
    mean_b = sum(w * x for w, x in zip(weights, b, strict=True)) / total
    mean_y = sum(w * y for w, y in zip(weights, logs, strict=True)) / total
    centred = [w * (x - mean_b) for w, x in zip(weights, b, strict=True)]
    spread = sum(c * x for c, x in zip(centred, b, strict=True))
    slope = sum(c * y for c, y in zip(centred, logs, strict=True))
    slope /= np.maximum(spread, np.float32(1e-12))
    intercept = mean_y - slope * mean_b
    squares = sum(np.square(y - intercept - slope * x) for x, y in zip(b, logs, strict=True))
    adc = slope * np.float32(-1000.0)
    valid &= (adc > 0) & (adc <= MAXIMUM_ADC_UM2_S)
    nan = np.float32(np.nan)
    residual = np.where(valid, np.sqrt(squares / np.float32(len(b))), nan)
    s0 = np.where(valid, np.exp(np.where(valid, intercept, np.float32(0))), signals[0])
    return np.where(valid, adc, nan), np.fmax(s0, np.float32(0)), residual
