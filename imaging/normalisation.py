"""High-b signal in units of the patient's own spinal cord (`papers.md` A.4).

Magnitude signal has no unit: it changes with coil, gain and scanner. The cord is in every
whole-body scan and rarely diseased, so signal divided by the cord's is comparable between scans.
One reference serves the whole body: a reference for each slice along the canal was tried on
phantoms and left normal marrow no more even, because coil sensitivity differs across a slice too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from imaging.body import body_mask
from imaging.canal import CanalRule, canal_problem, canal_shape
from imaging.cord import CordRule, cord_problem, find_cord
from imaging.errors import UnusableImages
from imaging.histogram_matching import match_histogram
from imaging.quality import QualityNote

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imaging.geometry import Geometry

FALLBACK_PERCENTILE = 97.0
"""Without a canal the reference may be this percentile of the body's signal: brain, spleen."""


@dataclass(frozen=True)
class NormalisationRule:
    """How signal gets its unit, what the canal must be, and what happens when it is not."""

    method: Literal["cord", "histogram"] = "cord"
    """Divide by the cord's signal, or match the canal's histogram (docs/decisions/0007)."""
    without_canal: Literal["refuse", "percentile"] = "refuse"
    """A canal that fails its checks rejects the study, or a percentile of the body's signal takes
    its place: then disease volumes cannot be compared between scans, and a note says so."""
    canal: CanalRule = field(default_factory=CanalRule)
    cord: CordRule = field(default_factory=CordRule)


MEASURE_ANYWAY = NormalisationRule(without_canal="percentile")
"""For evaluation and training, where every patient counts and `accepted` tells."""


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
    unit: str = "spinal cord"
    """What has the signal 1, in words."""


def normalise_high_b(
    high_b: NDArray[np.float32],
    adc_um2_s: NDArray[np.float32],
    canal_mask: NDArray[np.bool_],
    geometry: Geometry,
    rule: NormalisationRule = NormalisationRule(),
) -> NormalisedSignal:
    """Give the signal the unit of the spinal cord, by the rule's method.

    A canal that fails a check of `imaging.canal` or `imaging.cord` is never used in silence.

    Args:
        high_b: signal at the highest b-value (slice, row, column).
        adc_um2_s: ADC on the same grid, NaN where invalid.
        canal_mask: the spinal canal (cord and CSF).
        geometry: the grid.
        rule: the method and the limits.

    Raises:
        UnusableImages: the canal failed a check, with that check's code, and the rule refuses.

    """
    problem = canal_problem(canal_shape(canal_mask, geometry), rule.canal)
    if problem is not None:
        return _without_canal(high_b, problem, None, rule)
    usable = canal_mask & np.isfinite(adc_um2_s) & (high_b > 0)
    signal = high_b[usable]
    cord = find_cord(signal, adc_um2_s[usable], rule.cord)
    problem = cord_problem(cord, high_b, rule.cord)
    if problem is not None:
        return _without_canal(high_b, problem, cord.adc_um2_s, rule)
    reference = (cord.signal, cord.adc_um2_s, True, cord.notes)
    if rule.method == "histogram":
        unit = "spinal cord, by the histogram of the canal"
        return NormalisedSignal(match_histogram(high_b, signal), *reference, unit)
    return NormalisedSignal(high_b / np.float32(cord.signal), *reference)


def _without_canal(
    high_b: NDArray[np.float32],
    problem: QualityNote,
    cord_adc: float | None,
    rule: NormalisationRule,
) -> NormalisedSignal:
    if rule.without_canal == "refuse":
        message = (
            f"{problem.text} Without it the signal has no unit and disease cannot be measured; "
            "look at the images and the anatomy, or set normalisation.without_canal = percentile"
        )
        raise UnusableImages(message, code=problem.code)
    body = body_mask(high_b)
    reference = float(np.percentile(high_b[body], FALLBACK_PERCENTILE)) if body.any() else 1.0
    text = (
        "The spinal canal cannot serve as signal reference; a percentile of the body's signal is "
        "used instead, so the disease volume is not comparable with other scans."
    )
    note = QualityNote("NO_CANAL_REFERENCE", "warning", text, reference)
    image = high_b / np.float32(max(reference, 1e-6))
    unit = f"{FALLBACK_PERCENTILE:g}th percentile of the body"
    return NormalisedSignal(image, reference, cord_adc, False, (problem, note), unit)
