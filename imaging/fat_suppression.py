"""Fat that was not suppressed: bright at high b, hardly diffusing, under the skin.

Poor fat suppression is a known failure of whole-body diffusion MRI (`papers.md` A.5, A.6): bright
fat beside or inside bone looks like disease.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from imaging.quality import QualityNote
from imaging.quality_limits import USUAL_LIMITS
from imaging.rim import body_rim

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imaging.geometry import Geometry
    from imaging.quality_limits import QualityLimits

BLOCK_MM = 100.0
"""Suppression fails by region, at the shoulders say, so the body is judged in blocks of this."""
_FEWEST_VOXELS = 500


def fat_suppression_note(
    normalised: NDArray[np.float32],
    adc_um2_s: NDArray[np.float32],
    body: NDArray[np.bool_],
    labels: NDArray[np.uint8],
    geometry: Geometry,
    limits: QualityLimits = USUAL_LIMITS,
) -> QualityNote | None:
    """Return `FAT_SUPPRESSION` for the worst block of the body, None where fat is dark.

    All arrays (slice, row, column). `measured` is the share of the rim that is bright fat.

    Args:
        normalised: high-b signal over the spinal cord's.
        adc_um2_s: ADC, NaN where invalid.
        body: inside the patient.
        labels: `STRUCTURES` label map; what it names is no fat (the skull lies in the rim).
        geometry: the grid.
        limits: what counts as bright fat and how much of it.

    """
    rim = body_rim(body, geometry, limits.rim_mm) & (labels == 0)
    fat = rim & (normalised > limits.fat_signal) & (adc_um2_s < limits.fat_adc_um2_s)
    starts, shares = _shares_by_block(fat, rim, geometry)
    if shares.max() > limits.fat_share:  # the filter takes a second: not for every study
        fat &= _density(fat) > limits.fat_density * _density(rim)
        starts, shares = _shares_by_block(fat, rim, geometry)
    worst = int(np.argmax(shares))
    share = float(shares[worst])
    if share <= limits.fat_share:
        return None
    bottom = float(geometry.to_patient_mm((starts[worst], 0, 0))[2])
    text = (
        f"Fat is bright at high b: {share:.0%} of the body's rim at z {bottom:.0f} to "
        f"{bottom + BLOCK_MM:.0f} mm; fat suppression may have failed, and bright fat near bone "
        "can be taken for disease."
    )
    return QualityNote("FAT_SUPPRESSION", "warning", text, share)


def _density(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    density: NDArray[np.float32] = ndimage.uniform_filter(mask.astype(np.float32), 3)
    return density


def _shares_by_block(
    fat: NDArray[np.bool_], rim: NDArray[np.bool_], geometry: Geometry
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return each block's first slice and its share; 0 where a block has hardly any rim."""
    per_block = max(1, round(BLOCK_MM / geometry.spacing_mm[0]))
    starts = np.arange(0, len(rim), per_block)
    n_fat, n_rim = (
        np.add.reduceat(np.count_nonzero(mask, axis=(1, 2)), starts) for mask in (fat, rim)
    )
    shares = np.where(n_rim >= _FEWEST_VOXELS, n_fat / np.maximum(n_rim, 1), 0.0)
    return starts, shares
