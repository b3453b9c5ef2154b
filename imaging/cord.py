"""The spinal cord inside the canal, told from CSF by its lower ADC (`papers.md` A.4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from imaging.body import body_mask
from imaging.mixture import two_components
from imaging.quality import QualityNote

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class CordRule:
    """What a cord must be to serve as reference."""

    adc_um2_s: tuple[float, float] = (600.0, 2200.0)
    """Median ADC of the cord; the ICR group found 1700 (cord with partial volume, A.4)."""
    separation_um2_s: float = 300.0
    """Cord and CSF closer than this are not told apart: the whole canal is the reference."""
    fewest_voxels: int = 50
    least_over_body: float = 1.0
    """Cord signal over the body's median signal at high b; it is about 3. A cord as dark as muscle
    lies in a signal void, or is none, and would make the whole body look diseased."""


@dataclass(frozen=True)
class Cord:
    """`signal` is the cord's median at high b, `adc_um2_s` its median ADC (None without voxels)."""

    n_voxels: int
    signal: float
    adc_um2_s: float | None
    notes: tuple[QualityNote, ...] = ()


def find_cord(
    signal: NDArray[np.float32], adc_um2_s: NDArray[np.float32], rule: CordRule = CordRule()
) -> Cord:
    """Part the canal's voxels (n) by a mixture of two Gaussians on ADC.

    Of the component with the lower ADC the half with the lower values counts: it holds less CSF.
    Where both components have nearly one mean, all voxels count and a note says so. Where that
    leaves what diffuses like CSF, both components were CSF: a canal drawn wide holds far more of
    it than cord. Then what lies below them is parted once more.
    """
    if signal.size < rule.fewest_voxels:
        return Cord(signal.size, 0.0, None)
    mixture = two_components(adc_um2_s)
    distance = float(mixture.means[1] - mixture.means[0])
    notes: tuple[QualityNote, ...] = ()
    if distance < rule.separation_um2_s:
        chosen = np.ones(signal.size, dtype=np.bool_)
        notes = (_not_separated(distance),)
    else:
        chosen = adc_um2_s < mixture.means[0]
    if chosen.any() and float(np.median(adc_um2_s[chosen])) > rule.adc_um2_s[1]:
        chosen, notes = _below_csf(adc_um2_s, adc_um2_s < mixture.means[0]), ()
    if not chosen.any():
        return Cord(0, 0.0, None)
    medians = float(np.median(signal[chosen])), float(np.median(adc_um2_s[chosen]))
    return Cord(int(chosen.sum()), *medians, notes)


def _below_csf(adc_um2_s: NDArray[np.float32], lower: NDArray[np.bool_]) -> NDArray[np.bool_]:
    if np.count_nonzero(lower) < 2:
        return lower
    chosen: NDArray[np.bool_] = adc_um2_s < two_components(adc_um2_s[lower]).means[0]
    return chosen


def cord_problem(
    cord: Cord, high_b: NDArray[np.float32], rule: CordRule = CordRule()
) -> QualityNote | None:
    """Return what is wrong with a cord, None when it may serve as reference.

    Codes: `CORD_SMALL`, `CORD_ADC`, `CORD_DARK`. `high_b` is the whole image (slice, row, column).
    """
    if cord.adc_um2_s is None or cord.n_voxels < rule.fewest_voxels:
        text = f"Only {cord.n_voxels} voxels of the spinal cord could be told from CSF."
        return QualityNote("CORD_SMALL", "warning", text, float(cord.n_voxels))
    low, high = rule.adc_um2_s
    if not low <= cord.adc_um2_s <= high:
        text = (
            f"The spinal cord's ADC is {cord.adc_um2_s:.0f} µm²/s; "
            f"{low:.0f} to {high:.0f} are expected."
        )
        return QualityNote("CORD_ADC", "warning", text, cord.adc_um2_s)
    body = body_mask(high_b)
    over_body = cord.signal / float(np.median(high_b[body])) if body.any() else 0.0
    if over_body < rule.least_over_body:
        text = f"The spinal cord is dark at high b: {over_body:.2f} times the body's median signal."
        return QualityNote("CORD_DARK", "warning", text, over_body)
    return None


def _not_separated(distance_um2_s: float) -> QualityNote:
    text = (
        f"Spinal cord and CSF could not be told apart (their ADC differs by {distance_um2_s:.0f} "
        "µm²/s); the whole canal is the signal reference."
    )
    return QualityNote("CORD_NOT_SEPARATED", "warning", text, distance_um2_s)
