"""Published ways to split disease by ADC, beside the site's own two thresholds.

A binning is stored with its edges and its source, so that a number is never read under another
paper's name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class AdcBins:
    """Edges in µm²/s, ascending: bin k holds edge k <= ADC < edge k+1, the last one its end too."""

    name: str
    title: str
    edges_um2_s: tuple[float, ...]
    source: str


CRPC_MDV = AdcBins(
    "crpc_mdv",
    "Metastatic diffusion volume, castration-resistant",
    (400.0, 900.0, 1400.0, 1800.0),
    "whole-body tumour diffusion volume in metastatic CRPC, J Magn Reson Imaging 2021 (n = 66)",
)
MHNPC_MDV = AdcBins(
    "mhnpc_mdv",
    "Metastatic diffusion volume, hormone-naive",
    (400.0, 1000.0, 1800.0),
    "metastatic diffusion volume in mHNPC, 2023 (n = 62)",
)
PUBLISHED: tuple[AdcBins, ...] = (CRPC_MDV, MHNPC_MDV)
"""`papers.md` A.5."""


@dataclass(frozen=True)
class BinnedVolumes:
    """Disease volume in mL of each bin, and of what lies in none (also without a valid ADC)."""

    bins: AdcBins
    volumes_ml: tuple[float, ...]
    outside_ml: float


def binned_volumes(
    adc_um2_s: NDArray[np.floating[Any]], bins: AdcBins, voxel_volume_ml: float
) -> BinnedVolumes:
    """Count voxels (any shape, µm²/s) by bin; each has `voxel_volume_ml`."""
    counts, _ = np.histogram(adc_um2_s[np.isfinite(adc_um2_s)], bins.edges_um2_s)
    outside = adc_um2_s.size - int(counts.sum())
    volumes = tuple(int(n) * voxel_volume_ml for n in counts)
    return BinnedVolumes(bins, volumes, outside * voxel_volume_ml)
