"""The list of focal lesions from a network's probability (Wuts et al., `papers.md` B).

A second definition of disease, never mixed with burden: these lesions add nothing to TDV or gADC,
and neither skeleton nor organs gate them. The authors say that their sum is no burden (B.6).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from imaging.lesions import KEPT_ML, find_lesions
from imaging.preprocessing import to_probability

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imaging.focal import FocalInput
    from imaging.geometry import Geometry
    from imaging.measurement import LesionMeasurement
    from imaging.model import ModelSpec
    from imaging.provenance import ModelIdentity

FOCAL_CLASSES = ("background", "lesion")
THRESHOLD = "lesion"
"""Key of the probability from which on a voxel is of a lesion, in a declaration's thresholds."""
DEFAULT_THRESHOLD = 0.5
_HALF = 0.5
NAME_PREFIX = "F"
"""Focal lesions are F01, F02; those of the burden L01, L02."""


@dataclass(frozen=True, eq=False)
class FocalLesions:
    """What a focal network listed, and how it looked.

    `labels` uint16 (slice, row, column) on the images' grid: 0, or the lesion's number.
    """

    model: ModelIdentity
    threshold: float
    lesions: tuple[LesionMeasurement, ...]
    labels: NDArray[np.uint16] = field(repr=False)
    shown: float
    """Share of the body that T1 shows, 0 to 1; elsewhere no lesion can be listed."""
    moved_mm: float
    """How far T1 was moved by registration, at the middle of the images."""
    smallest_ml: float = KEPT_ML
    """Smaller predictions are left out: the paper's advice (B.6), Osteon's value."""
    definition: Literal["focal"] = "focal"

    def in_words(self) -> str:
        """Return one line without a verb, for reports."""
        return (
            f"focal lesions by network {self.model.name} {self.model.version}, probability from "
            f"{self.threshold:.3g} on, from {self.smallest_ml:g} mL on; no part of TDV and gADC"
        )


def threshold_of(spec: ModelSpec) -> float:
    """Return the declared threshold, 0.5 where there is none."""
    return spec.thresholds.get(THRESHOLD, DEFAULT_THRESHOLD)


def focal_labels(
    probability: NDArray[np.floating[Any]],
    looked: FocalInput,
    adc_um2_s: NDArray[np.float32],
    geometry: Geometry,
    threshold: float,
) -> NDArray[np.uint16]:
    """Return the lesions by number on the grid of the images.

    The probability is cut on the network's grid, where the threshold was chosen, and the mask is
    brought over: a voxel is of a lesion that fills half of it. Cut after interpolation, a high
    threshold would take half a voxel off every side.

    Args:
        probability: the network's answer (class, slice, row, column), classes `FOCAL_CLASSES`.
        looked: what it was given; where T1 shows nothing there is no lesion.
        adc_um2_s: on `geometry`; a voxel without a valid ADC is never of a lesion.
        geometry: the grid of the images.
        threshold: of the probability.

    """
    lesion = (looked.shown & (probability[1] >= threshold)).astype(np.float32)
    share = to_probability(lesion, looked.given.geometry, geometry)
    return find_lesions((share >= _HALF) & np.isfinite(adc_um2_s), geometry, KEPT_ML)
