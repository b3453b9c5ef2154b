"""The ADC histogram of the disease: how much volume has which ADC."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from report.content import ReportImages

BIN_UM2_S = 50.0
UPPER_UM2_S = 3000.0


@dataclass(frozen=True)
class AdcHistogram:
    """Volume by ADC: `volumes_ml[i]` has an ADC in [i, i + 1) x `bin_um2_s`.

    What is above the last bin counts in it, what is below zero in the first, so that the bars add
    up to the volume of the disease with a valid ADC.
    """

    bin_um2_s: float
    volumes_ml: tuple[float, ...]

    @property
    def upper_um2_s(self) -> float:
        """Where the last bin ends, in µm²/s."""
        return self.bin_um2_s * len(self.volumes_ml)


def adc_histogram(images: ReportImages) -> AdcHistogram:
    """Count the disease's voxels by ADC in bins of 50 µm²/s up to 3000, as volume in mL."""
    adc = images.adc_um2_s[images.disease]
    valid = adc[~np.isnan(adc)]
    n_bins = round(UPPER_UM2_S / BIN_UM2_S)
    position = np.clip(np.floor(valid / BIN_UM2_S), 0, n_bins - 1).astype(np.intp)
    counts = np.bincount(position, minlength=n_bins)
    volumes = counts * images.geometry.voxel_volume_ml
    return AdcHistogram(BIN_UM2_S, tuple(float(v) for v in volumes))
