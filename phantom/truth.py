"""What is true of a synthetic person on the grid of the images."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from imaging.anatomy import STRUCTURES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imaging.geometry import Geometry


@dataclass(frozen=True)
class TrueLesion:
    """One lesion as it lies on the images' grid."""

    label: int
    region: str
    volume_ml: float
    centroid_mm: tuple[float, float, float]
    """LPS position."""
    adc_um2_s: float
    """Median over its voxels."""


@dataclass(frozen=True, eq=False)
class Truth:
    """Arrays (slice, row, column) on the whole-body grid, and the numbers counted from them."""

    geometry: Geometry
    labels: NDArray[np.uint8] = field(repr=False)
    lesion_labels: NDArray[np.uint16] = field(repr=False)
    adc_um2_s: NDArray[np.float32] = field(repr=False)
    """True diffusivity; NaN outside the body."""
    lesions: tuple[TrueLesion, ...]
    tdv_ml: float
    gadc_um2_s: float
    """Median over all lesion voxels; NaN without disease."""


def count_truth(
    geometry: Geometry,
    labels: NDArray[np.uint8],
    lesion_labels: NDArray[np.uint16],
    adc_um2_s: NDArray[np.float32],
) -> Truth:
    """Count what is true: lesions are numbered 1..n without gaps."""
    present = np.unique(lesion_labels[lesion_labels > 0])
    renumber = np.zeros(int(lesion_labels.max()) + 1, np.uint16)
    renumber[present] = np.arange(1, len(present) + 1)
    numbered = renumber[lesion_labels]
    boxes = ndimage.find_objects(numbered)
    lesions = []
    for k, box in enumerate(boxes, start=1):
        inside = numbered[box] == k
        where = np.argwhere(inside) + [s.start for s in box]
        x, y, z = geometry.to_patient_mm(where.mean(axis=0))
        region = int(np.bincount(labels[box][inside]).argmax())
        lesions.append(
            TrueLesion(
                k,
                STRUCTURES[region].name,
                float(len(where) * geometry.voxel_volume_ml),
                (float(x), float(y), float(z)),
                float(np.median(adc_um2_s[box][inside])),
            )
        )
    disease = numbered > 0
    return Truth(
        geometry,
        labels,
        numbered,
        adc_um2_s,
        tuple(lesions),
        float(disease.sum() * geometry.voxel_volume_ml),
        float(np.median(adc_um2_s[disease])) if disease.any() else float("nan"),
    )
