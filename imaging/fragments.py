"""Leave out what a network scattered, and give a bone back what was called by another bone's name.

A patch-based network sees no whole body. It may call a piece of brain stem lumbar spine: such a
piece is small and lies far from the rest of its structure, and is left out. It may call half of an
upper arm's bone femur: such a piece is large, far from the femur, and touches the bone whose it is:
that bone gets it. An organ is one piece: of its parts only the largest stays, however large another
one is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import cc3d
import numpy as np

from imaging.anatomy import BONES, BY_NAME, ORGANS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from imaging.geometry import Geometry

_ORGANS = frozenset(organ.label for organ in ORGANS)
_BONES = frozenset(bone.label for bone in BONES)
_ONE_PIECE_NAMES = (
    "skull", "sacrum", "sternum", "humerus_left", "humerus_right", "femur_left", "femur_right",
)  # fmt: skip
_ONE_PIECE = frozenset(BY_NAME[name].label for name in _ONE_PIECE_NAMES)
SMALL_SHARE = 0.1
"""A part is small below this share of its structure's largest part (ours)."""
FAR_MM = 40.0
"""A small part is far when the gap between its box and every large part's box exceeds this."""
BROKEN_MM = 100.0
"""A bone that is one piece may be broken by disease or poor signal, but not by more than this."""


@dataclass(frozen=True, eq=False)
class _Parts:
    """Connected parts of all structures by number, 0 the background."""

    image: NDArray[Any] = field(repr=False)
    structure: NDArray[np.uint8] = field(repr=False)
    sizes: NDArray[np.int64] = field(repr=False)
    boxes_mm: NDArray[np.float64] = field(repr=False)

    def far(self, part: int, others: NDArray[np.int64], gap_mm: float) -> bool:
        return bool(_gaps_mm(self.boxes_mm[part], self.boxes_mm[others]).min() > gap_mm)


def without_far_fragments(labels: NDArray[np.uint8], geometry: Geometry) -> NDArray[np.uint8]:
    """Return `labels` (slice, row, column) with far fragments of every structure put right.

    A small far part is set to 0; of an organ everything but its largest part. Of a bone that is
    one piece, a large part beyond `BROKEN_MM` goes to the bone whose largest part it touches most,
    or to 0.
    """
    image: NDArray[Any] = cc3d.connected_components(labels, connectivity=26)
    if not image.any():
        return labels.copy()
    parts = _described(image, labels, geometry)
    becomes = parts.structure.copy()
    displaced, bones = [], {}
    for label in np.unique(parts.structure[1:]).tolist():
        members = np.flatnonzero(parts.structure == label)
        if label in _BONES:
            bones[int(members[parts.sizes[members].argmax()])] = label
        for part, small in _misplaced(parts, label, members):
            becomes[part] = 0
            displaced += [] if small else [part]
    if displaced:
        _give_to_neighbours(parts, displaced, bones, becomes)
    kept: NDArray[np.uint8] = becomes[image]
    return kept


def _described(image: NDArray[Any], labels: NDArray[np.uint8], geometry: Geometry) -> _Parts:
    statistics = cc3d.statistics(image)
    sizes = np.asarray(statistics["voxel_counts"], dtype=np.int64)
    structure = np.zeros(sizes.size, dtype=np.uint8)
    structure[image.reshape(-1)] = labels.reshape(-1)
    return _Parts(image, structure, sizes, _boxes_mm(statistics["bounding_boxes"], geometry))


def _misplaced(parts: _Parts, label: int, members: NDArray[np.int64]) -> Iterator[tuple[int, bool]]:
    """Yield the parts that are not where their structure is, and whether they are small."""
    sizes = parts.sizes[members]
    main = members[[int(sizes.argmax())]]
    if label in _ORGANS:
        yield from ((int(part), True) for part in np.setdiff1d(members, main))
        return
    large = members[sizes >= SMALL_SHARE * sizes.max()]
    elsewhere = [
        int(part)
        for part in np.setdiff1d(large, main)
        if label in _ONE_PIECE and parts.far(int(part), main, BROKEN_MM)
    ]
    yield from ((part, False) for part in elsewhere)
    here = np.setdiff1d(large, elsewhere)
    for part in np.setdiff1d(members, large).tolist():
        if parts.far(part, here, FAR_MM):
            yield part, True


def _give_to_neighbours(
    parts: _Parts, displaced: list[int], bones: dict[int, int], becomes: NDArray[np.uint8]
) -> None:
    """Give every displaced part to the bone whose largest part it touches most, if it does."""
    contacts = cc3d.contacts(parts.image, connectivity=26, surface_area=False)
    touched: dict[int, dict[int, float]] = {part: {} for part in displaced}
    for (one, other), amount in contacts.items():
        for part, neighbour in ((one, other), (other, one)):
            if part in touched and neighbour in bones:
                touched[part][bones[neighbour]] = amount
    for part, found in touched.items():
        becomes[part] = max(found, key=found.__getitem__, default=0)


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
