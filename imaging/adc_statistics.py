"""Numbers that describe the ADC of a set of voxels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PERCENTS = (5, 10, 25, 50, 75, 90, 95)


@dataclass(frozen=True)
class AdcStatistics:
    """Distribution of ADC in µm²/s; `skewness` and (excess) `kurtosis` have no unit.

    `sd` is the sample's (n - 1), 0 for one voxel; the moments are 0 where all values are equal.
    Percentiles interpolate linearly between voxels.
    """

    mean: float
    sd: float
    median: float
    p5: float
    p10: float
    p25: float
    p75: float
    p90: float
    p95: float
    minimum: float
    maximum: float
    skewness: float
    kurtosis: float


@dataclass(frozen=True)
class ClassVolumes:
    """Volumes in mL below the lower threshold, between both (inclusive) and above the higher.

    Voxels without a valid ADC are in no class, so the sum may be below the whole volume.
    """

    low_ml: float
    intermediate_ml: float
    high_ml: float

    @property
    def shares(self) -> tuple[float, float, float] | None:
        """Return low, intermediate and high as shares of their sum, 0 to 1; None where it is 0."""
        volumes = (self.low_ml, self.intermediate_ml, self.high_ml)
        whole = sum(volumes)
        if whole <= 0:
            return None
        low, intermediate, high = (volume / whole for volume in volumes)
        return (low, intermediate, high)


def adc_statistics(adc_um2_s: NDArray[np.floating[Any]]) -> AdcStatistics | None:
    """Describe the valid values (any shape, µm²/s); None where there is none."""
    values = adc_um2_s[np.isfinite(adc_um2_s)].astype(np.float64)
    if values.size == 0:
        return None
    mean = float(values.mean())
    variance = float(values.var())
    z = (values - mean) / np.sqrt(variance) if variance > 0 else np.zeros_like(values)
    p5, p10, p25, p50, p75, p90, p95 = (float(p) for p in np.percentile(values, _PERCENTS))
    return AdcStatistics(
        mean=mean,
        sd=float(values.std(ddof=1)) if values.size > 1 else 0.0,
        median=p50,
        p5=p5,
        p10=p10,
        p25=p25,
        p75=p75,
        p90=p90,
        p95=p95,
        minimum=float(values.min()),
        maximum=float(values.max()),
        skewness=float((z**3).mean()),
        kurtosis=float((z**4).mean() - 3.0) if variance > 0 else 0.0,
    )


def class_volumes(
    adc_um2_s: NDArray[np.floating[Any]],
    thresholds_um2_s: tuple[float, float],
    voxel_volume_ml: float,
) -> ClassVolumes:
    """Split the voxels by ADC: < lower, lower to higher, > higher (A2)."""
    low, high = thresholds_um2_s
    n_low = int(np.count_nonzero(adc_um2_s < low))
    n_high = int(np.count_nonzero(adc_um2_s > high))
    n_between = int(np.count_nonzero(np.isfinite(adc_um2_s))) - n_low - n_high
    return ClassVolumes(
        n_low * voxel_volume_ml, n_between * voxel_volume_ml, n_high * voxel_volume_ml
    )
