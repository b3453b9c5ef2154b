"""High-b signal in units of the patient's own spinal cord (`papers.md` A.4).

Magnitude signal has no unit: it changes with coil, gain and scanner. The cord is in every
whole-body scan and rarely diseased, so signal divided by the cord's is comparable between scans.
One reference serves the whole body: a reference for each slice along the canal was tried on
phantoms and left normal marrow no more even, because coil sensitivity differs across a slice too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from imaging.body import body_mask
from imaging.mixture import two_components
from imaging.quality import QualityNote

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imaging.geometry import Geometry

FALLBACK_PERCENTILE = 97.0
"""Without a canal the reference is this percentile of the body's signal: brain, cord, spleen."""


@dataclass(frozen=True)
class NormalisationRule:
    """What a canal must be to serve as reference."""

    canal_ml: tuple[float, float] = (20.0, 400.0)
    shortest_canal_mm: float = 150.0
    cord_adc_um2_s: tuple[float, float] = (600.0, 2200.0)
    """Median ADC of the cord; the ICR group found 1700 (cord with partial volume, A.4)."""
    separation_um2_s: float = 300.0
    """Cord and CSF closer than this are not told apart: the whole canal is the reference."""
    fewest_cord_voxels: int = 100


@dataclass(frozen=True, eq=False)
class NormalisedSignal:
    """`image` is high-b signal over the reference, float32 (slice, row, column), no unit.

    `reference` is the cord's signal. `accepted` is False where the canal failed its checks: then
    the image is scaled by a percentile of the body's signal, and is not comparable between
    scans.
    """

    image: NDArray[np.float32] = field(repr=False)
    reference: float
    cord_adc_um2_s: float | None
    accepted: bool
    notes: tuple[QualityNote, ...]


def normalise_high_b(
    high_b: NDArray[np.float32],
    adc_um2_s: NDArray[np.float32],
    canal_mask: NDArray[np.bool_],
    geometry: Geometry,
    rule: NormalisationRule = NormalisationRule(),
) -> NormalisedSignal:
    """Divide by the median signal of the spinal cord.

    Cord and CSF inside the canal are told apart by a mixture of two Gaussians on ADC; of the cord
    the half with the lower ADC counts, which holds less CSF. A canal that fails a check is never
    used in silence: the note says why and `accepted` is False.

    Args:
        high_b: signal at the highest b-value (slice, row, column).
        adc_um2_s: ADC on the same grid, NaN where invalid.
        canal_mask: the spinal canal (cord and CSF).
        geometry: the grid.
        rule: the limits.

    """
    problem = _canal_problem(canal_mask, geometry, rule)
    if problem is not None:
        return _without_canal(high_b, problem)
    usable = canal_mask & np.isfinite(adc_um2_s) & (high_b > 0)
    adc = adc_um2_s[usable]
    cord = _cord(adc, rule)
    cord_adc = float(np.median(adc[cord])) if cord.any() else None
    problem = _cord_problem(int(cord.sum()), cord_adc, rule)
    if problem is not None:
        return _without_canal(high_b, problem, cord_adc)
    reference = float(np.median(high_b[usable][cord]))
    image = high_b / np.float32(reference)
    return NormalisedSignal(image, reference, cord_adc, accepted=True, notes=())


def _canal_problem(
    canal: NDArray[np.bool_], geometry: Geometry, rule: NormalisationRule
) -> QualityNote | None:
    volume_ml = int(np.count_nonzero(canal)) * geometry.voxel_volume_ml
    low, high = rule.canal_ml
    if not low <= volume_ml <= high:
        text = (
            f"The spinal canal found has {volume_ml:.0f} mL; {low:.0f} to {high:.0f} are expected."
        )
        return QualityNote("CANAL_VOLUME", "warning", text, volume_ml)
    slices = np.flatnonzero(canal.any(axis=(1, 2)))
    length_mm = float(slices[-1] - slices[0] + 1) * geometry.spacing_mm[0]
    if length_mm < rule.shortest_canal_mm:
        text = f"Only {length_mm:.0f} mm of the spinal canal were found."
        return QualityNote("CANAL_SHORT", "warning", text, length_mm)
    return None


def _cord(adc_um2_s: NDArray[np.float32], rule: NormalisationRule) -> NDArray[np.bool_]:
    if adc_um2_s.size < rule.fewest_cord_voxels:
        return np.zeros(adc_um2_s.size, dtype=np.bool_)
    mixture = two_components(adc_um2_s)
    if mixture.means[1] - mixture.means[0] < rule.separation_um2_s:
        return np.ones(adc_um2_s.size, dtype=np.bool_)
    cord: NDArray[np.bool_] = adc_um2_s < mixture.means[0]
    return cord


def _cord_problem(
    n_voxels: int, cord_adc: float | None, rule: NormalisationRule
) -> QualityNote | None:
    if cord_adc is None or n_voxels < rule.fewest_cord_voxels:
        text = f"Only {n_voxels} voxels of the spinal cord could be told from CSF."
        return QualityNote("CORD_SMALL", "warning", text, float(n_voxels))
    low, high = rule.cord_adc_um2_s
    if not low <= cord_adc <= high:
        text = (
            f"The spinal cord's ADC is {cord_adc:.0f} µm²/s; {low:.0f} to {high:.0f} are expected."
        )
        return QualityNote("CORD_ADC", "warning", text, cord_adc)
    return None


def _without_canal(
    high_b: NDArray[np.float32], problem: QualityNote, cord_adc: float | None = None
) -> NormalisedSignal:
    body = body_mask(high_b)
    reference = float(np.percentile(high_b[body], FALLBACK_PERCENTILE)) if body.any() else 1.0
    text = (
        "The spinal canal cannot serve as signal reference; a percentile of the body's signal is "
        "used instead, so the disease volume is not comparable with other scans."
    )
    note = QualityNote("NO_CANAL_REFERENCE", "warning", text, reference)
    image = high_b / np.float32(max(reference, 1e-6))
    return NormalisedSignal(image, reference, cord_adc, accepted=False, notes=(problem, note))
