"""Lesions: the connected parts of a disease mask, and how long they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cc3d
import numpy as np
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist, squareform

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imaging.geometry import Geometry

KEPT_ML = 0.1
"""Smaller components are left out (`clinical_and_console.md` A7)."""
_MANY_POINTS = 1500


def find_lesions(
    mask: NDArray[np.bool_], geometry: Geometry, min_volume_ml: float = KEPT_ML
) -> NDArray[np.uint16]:
    """Label the 26-connected components of `mask` of at least `min_volume_ml`.

    Returns:
        uint16 of the mask's shape: 0 outside, 1..n by falling volume; of equal ones the one that
        comes first in the array first, so that the same mask gives the same numbers.

    """
    parts: NDArray[Any] = cc3d.connected_components(np.ascontiguousarray(mask), connectivity=26)
    n_voxels = np.bincount(parts.reshape(-1))
    n_voxels[0] = 0
    # A hair below the limit, so that a lesion of exactly the limit is kept.
    kept = np.flatnonzero(n_voxels * geometry.voxel_volume_ml >= min_volume_ml * (1 - 1e-9))
    kept = kept[n_voxels[kept] > 0]
    first = np.full(n_voxels.size, mask.size)
    positions = np.flatnonzero(parts)
    np.minimum.at(first, parts.reshape(-1)[positions], positions)
    order = kept[np.lexsort((first[kept], -n_voxels[kept]))]
    renamed = np.zeros(n_voxels.size, dtype=np.uint16)
    renamed[order] = np.arange(1, order.size + 1)
    labels: NDArray[np.uint16] = renamed[parts]
    return labels


def diameter_mm(index: NDArray[np.integer[Any]], geometry: Geometry) -> float:
    """Long axis in mm of a lesion of voxels `index` (n, 3) as (slice, row, column).

    The largest distance between two voxel centres, plus the length of one voxel along that
    direction (half a voxel at each end), so that a rod of n voxels is n voxels long. A single
    voxel is as long as its longest edge.
    """
    spacing = np.array(geometry.spacing_mm)
    ends = _extreme(index)
    if len(ends) == 1:
        return float(spacing.max())
    if len(ends) > _MANY_POINTS:
        # Joggled: a lesion flat in one plane has no hull otherwise; the corners stay the same.
        ends = ends[ConvexHull(ends * spacing, qhull_options="QJ").vertices]
    points = geometry.to_patient_mm(ends)
    distances = squareform(pdist(points))
    one, other = np.unravel_index(int(distances.argmax()), distances.shape)
    steps = np.abs(ends[one] - ends[other]) * spacing
    direction = steps / np.linalg.norm(steps)
    return float(distances[one, other] + np.linalg.norm(direction * spacing))


def _extreme(index: NDArray[np.integer[Any]]) -> NDArray[np.integer[Any]]:
    """Voxels that are the first or last of their line along every axis: they hold the hull."""
    kept = index
    for axis in range(3):
        others = [a for a in range(3) if a != axis]
        order = np.lexsort((kept[:, axis], kept[:, others[0]], kept[:, others[1]]))
        kept = kept[order]
        new_line = (np.diff(kept[:, others], axis=0) != 0).any(axis=1)
        first = np.concatenate([[True], new_line])
        last = np.concatenate([new_line, [True]])
        kept = kept[first | last]
    return kept
