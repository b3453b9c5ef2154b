"""Which bone region each lesion, and each of its voxels, belongs to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import cKDTree

from imaging.anatomy import BONES, STRUCTURES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imaging.geometry import Geometry

_IS_BONE = np.array([s in BONES for s in STRUCTURES])


@dataclass(frozen=True, eq=False)
class LesionVoxels:
    """The voxels of all lesions, in the order of the array.

    `index` (n, 3) is (slice, row, column), `lesion` the number of the lesion, `region` the label
    of a bone, `adc_um2_s` the ADC, NaN where invalid.
    """

    index: NDArray[np.int64] = field(repr=False)
    lesion: NDArray[np.int64] = field(repr=False)
    region: NDArray[np.int64] = field(repr=False)
    adc_um2_s: NDArray[np.float32] = field(repr=False)


def locate(
    adc_um2_s: NDArray[np.float32],
    labels: NDArray[np.uint8],
    lesion_labels: NDArray[np.uint16],
    geometry: Geometry,
) -> tuple[LesionVoxels, dict[int, int]]:
    """Return the lesions' voxels with their regions, and the region's label of each lesion.

    A lesion belongs to the bone that holds most of its bone voxels; one that touches no bone
    belongs to the bone nearest to its centroid (to background where there is no bone at all).
    """
    index = np.argwhere(lesion_labels)
    at = tuple(index.T)
    lesion = lesion_labels[at].astype(np.int64)
    region = np.where(_IS_BONE[labels[at]], labels[at], 0).astype(np.int64)
    n = int(lesion.max(initial=0))
    counts = np.zeros((n + 1, len(STRUCTURES)), dtype=np.int64)
    np.add.at(counts, (lesion, region), 1)
    counts[:, 0] = 0
    of_lesion = counts.argmax(axis=1)
    astray = np.flatnonzero(counts.sum(axis=1)[1:] == 0) + 1
    if astray.size:
        centroids = np.stack([index[lesion == number].mean(axis=0) for number in astray])
        of_lesion[astray] = _nearest_bone(labels, geometry, centroids)
    region = np.where(region > 0, region, of_lesion[lesion])
    regions = {number: int(of_lesion[number]) for number in range(1, n + 1)}
    return LesionVoxels(index, lesion, region, adc_um2_s[at]), regions


def _nearest_bone(
    labels: NDArray[np.uint8], geometry: Geometry, centroids: NDArray[np.float64]
) -> NDArray[np.int64]:
    bone = np.argwhere(_IS_BONE[labels])
    if len(bone) == 0:
        return np.zeros(len(centroids), dtype=np.int64)
    tree = cKDTree(geometry.to_patient_mm(bone))
    _, nearest = tree.query(geometry.to_patient_mm(centroids))
    found: NDArray[np.int64] = labels[tuple(bone[nearest].T)].astype(np.int64)
    return found
