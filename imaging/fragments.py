"""Leave out what a network scattered: small parts of a structure far from all of its large parts.

A patch-based network sees no whole body, so it may call a piece of brain stem lumbar spine. Such a
piece is small and lies far from the rest of its structure. An organ is one piece: of its parts only
the largest stays, however large another one is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cc3d
import numpy as np

from imaging.anatomy import ORGANS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imaging.geometry import Geometry

_ORGANS = frozenset(organ.label for organ in ORGANS)
SMALL_SHARE = 0.1
"""A part is small below this share of its structure's largest part (ours)."""
FAR_MM = 40.0
"""A small part is far when the gap between its box and every large part's box exceeds this."""


def without_far_fragments(labels: NDArray[np.uint8], geometry: Geometry) -> NDArray[np.uint8]:
    """Return `labels` (slice, row, column) with far fragments of every structure set to 0.

    Of an organ everything but its largest part is set to 0.
    """
    parts: NDArray[Any] = cc3d.connected_components(labels, connectivity=26)
    if not parts.any():
        return labels.copy()
    statistics = cc3d.statistics(parts)
    sizes = np.asarray(statistics["voxel_counts"], dtype=np.int64)
    boxes = _boxes_mm(statistics["bounding_boxes"], geometry)
    structure = np.zeros(sizes.size, dtype=np.uint8)
    structure[parts.reshape(-1)] = labels.reshape(-1)
    drop = np.zeros(sizes.size, dtype=np.bool_)
    for label in np.unique(structure[1:]):
        members = np.flatnonzero(structure == label)
        members = members[members > 0]
        share = 1.0 if label in _ORGANS else SMALL_SHARE
        large = members[sizes[members] >= share * sizes[members].max()]
        for part in np.setdiff1d(members, large):
            drop[part] = label in _ORGANS or _gaps_mm(boxes[part], boxes[large]).min() > FAR_MM
    kept = labels.copy()
    kept[drop[parts]] = 0
    return kept


def _boxes_mm(bounding_boxes: Any, geometry: Geometry) -> NDArray[np.float64]:  # noqa: ANN401 - cc3d's
    """Return (part, axis, low or high) in mm along the array axes."""
    spacing = np.asarray(geometry.spacing_mm)
    index = [[(s.start, s.stop) for s in box] for box in bounding_boxes]
    boxes: NDArray[np.float64] = np.asarray(index, dtype=np.float64) * spacing[:, np.newaxis]
    return boxes


def _gaps_mm(box: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance between one box (axis, 2) and each of the others (n, axis, 2)."""
    below = box[np.newaxis, :, 0] - others[:, :, 1]
    above = others[:, :, 0] - box[np.newaxis, :, 1]
    return np.asarray(np.linalg.norm(np.maximum(np.maximum(below, above), 0.0), axis=1))
