"""Bone disease from a network's probability: burden as Candito et al. define it (`papers.md` A.3).

The network looks at normalised high-b signal, ADC and the skeleton's probability. Organs and canal
are taken out of its answer, and what they took is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from imaging.anatomy import ORGANS, SPINAL_CANAL
from imaging.disease import DiseaseMask
from imaging.preprocessing import preprocess, to_probability

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imaging.adc import AdcFit
    from imaging.geometry import Geometry
    from imaging.labelling import Anatomy
    from imaging.model import ModelInput, ModelSpec

DISEASE_CLASSES = ("background", "disease")
THRESHOLD = "disease"
"""Key of the probability from which on a voxel is disease, in a declaration's thresholds."""
DEFAULT_THRESHOLD = 0.5


@dataclass(frozen=True, eq=False)
class Seen:
    """What is known of a body before disease is looked for, all on `geometry`."""

    fit: AdcFit
    normalised: NDArray[np.float32]
    """High-b signal in units of the spinal cord's (slice, row, column)."""
    anatomy: Anatomy
    geometry: Geometry


def disease_input(seen: Seen, spec: ModelSpec) -> ModelInput:
    """Make the channels that a disease network is trained on and served.

    Raises:
        ModelMismatch: the model wants a channel that this software cannot make.
        UnusableImages: there is no body in the images.

    """
    further = {"normalised_high_b": seen.normalised, "bone_probability": seen.anatomy.bone}
    return preprocess(seen.fit, seen.geometry, spec, further)


def burden_mask(
    probability: NDArray[np.floating[Any]], model_geometry: Geometry, seen: Seen, spec: ModelSpec
) -> DiseaseMask:
    """Return the voxels of disease on the grid of the images.

    Args:
        probability: the network's answer (class, slice, row, column), classes `DISEASE_CLASSES`.
        model_geometry: its grid.
        seen: the body; a voxel without a valid ADC is never disease.
        spec: holds the threshold; 0.5 where it has none.

    """
    disease = to_probability(probability[1], model_geometry, seen.geometry)
    return cut_burden(disease, seen, spec.thresholds.get(THRESHOLD, DEFAULT_THRESHOLD))


def cut_burden(disease: NDArray[np.floating[Any]], seen: Seen, threshold: float) -> DiseaseMask:
    """Return `burden_mask`'s voxels at a threshold of the probability on the images' grid."""
    candidates = (disease >= threshold) & np.isfinite(seen.fit.adc_um2_s)
    labels, voxel_ml = seen.anatomy.labels, seen.geometry.voxel_volume_ml
    of_organs = candidates & np.isin(labels, [organ.label for organ in ORGANS])
    of_canal = candidates & (labels == SPINAL_CANAL.label)
    return DiseaseMask(
        candidates & ~of_organs & ~of_canal,
        int(np.count_nonzero(of_organs)) * voxel_ml,
        int(np.count_nonzero(of_canal)) * voxel_ml,
        threshold,
    )
