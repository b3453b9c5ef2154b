"""How far the surfaces of two masks lie apart, in mm on voxels of any shape.

A surface is the set of voxels with a face outside the mask; distances run between voxel centres.
That is the boundary of Metrics Reloaded (border map, connectivity 1) and of MONAI's
`compute_surface_dice` and `compute_average_surface_distance`, whose parts are used here once for
all tolerances. On pixels of 2.1 mm a tolerance of 1 or 2 mm asks for equal surfaces.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from monai.metrics.utils import get_mask_edges, get_surface_distance
from scipy import ndimage

if TYPE_CHECKING:
    from numpy.typing import NDArray

TOLERANCES_MM = (1.0, 2.0, 3.0)
"""The paper's tolerance stands in a supplement that we have not read (`papers.md` B.4)."""
_ROUNDING_MM = 1e-4
"""Distances are float32: 3 mm must count as within 3 mm."""


@dataclass(frozen=True)
class SurfaceScore:
    """Normalised surface distance (share of both surfaces) at each of `TOLERANCES_MM`.

    `distance_mm` is the average symmetric surface distance, None where one mask is empty.
    """

    nsd: tuple[float, ...]
    distance_mm: float | None


def score_surfaces(
    truth: NDArray[np.bool_],
    prediction: NDArray[np.bool_],
    spacing_mm: tuple[float, float, float],
) -> SurfaceScore:
    """Compare the surfaces of two bool masks (slice, row, column).

    Both empty is NSD 1, one empty is NSD 0; neither has a distance.
    """
    box = union_box(truth, prediction)
    if box is None:
        return SurfaceScore((1.0,) * len(TOLERANCES_MM), None)
    true, predicted = np.ascontiguousarray(truth[box]), np.ascontiguousarray(prediction[box])
    if not (true.any() and predicted.any()):
        return SurfaceScore((0.0,) * len(TOLERANCES_MM), None)
    edge, true_edge = get_mask_edges(predicted, true)
    there = get_surface_distance(edge, true_edge, spacing=spacing_mm)
    back = get_surface_distance(true_edge, edge, spacing=spacing_mm)
    distances = np.concatenate([there, back])
    nsd = tuple(float(np.mean(distances <= mm + _ROUNDING_MM)) for mm in TOLERANCES_MM)
    return SurfaceScore(nsd, float(distances.mean(dtype=np.float64)))


def union_box(*masks: NDArray[np.bool_]) -> tuple[slice, ...] | None:
    """Return the smallest box that holds every mask; None where all are empty."""
    found = [ndimage.find_objects(mask.view(np.uint8))[0] for mask in masks if mask.any()]
    if not found:
        return None
    return tuple(
        slice(min(s.start for s in along), max(s.stop for s in along))
        for along in zip(*found, strict=True)
    )
