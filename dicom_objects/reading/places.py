"""Volumes to places: what lies on one grid, across series (dicom.md A3 R5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dicom_objects.reading.planes import alike, axes_of, coordinates_mm, plane_of
from dicom_objects.reading.slices import SAME_POSITION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicom_objects.reading.volumes import Volume

_MOSTLY = 0.5
"""Two volumes that share more than this of their extent are the same place on other grids."""

Place = list["Volume"]


def find_places(volumes: Sequence[Volume]) -> list[Place]:
    """Group volumes without faults by grid; coordinates of two frames of reference stay apart.

    So do composed and distortion-corrected images: they are other pictures of the same place.
    """
    places: list[Place] = []
    for volume in volumes:
        home = next((p for p in places if _same_place(p[0], volume)), None)
        if home is None:
            places.append([volume])
        else:
            home.append(volume)
    return places


def join_frames_of_reference(places: Sequence[Place]) -> list[Place]:
    """Join places on one grid whose frames of reference differ and whose b-values do too.

    With equal b-values they are two stations in coordinates that cannot be compared.
    """
    joined: list[Place] = []
    for place in places:
        home = next((p for p in joined if _complete_each_other(p, place)), None)
        if home is None:
            joined.append(list(place))
        else:
            home.extend(place)
    return joined


def same_grid(a: Volume, b: Volume) -> bool:
    """Whether two volumes lie on one grid, positions within a tenth of the spacing."""
    tolerance = SAME_POSITION * min(a.grid.spacing_mm)
    return alike(a.first, b.first) and a.grid.matches(b.grid, tolerance)


def mostly_overlap(a: Volume, b: Volume) -> bool:
    """Whether two volumes of one plane share more than half of the shorter one's extent."""
    if not alike(a.first, b.first):
        return False
    (a0, a1), (b0, b1) = range_mm(a, a), range_mm(b, a)
    shorter = min(a1 - a0, b1 - b0)
    return shorter > 0 and (min(a1, b1) - max(a0, b0)) / shorter > _MOSTLY


def range_mm(volume: Volume, along: Volume) -> tuple[float, float]:
    """Return the first and last slice position of a volume along the normal of another."""
    normal = axes_of(plane_of(along.first))[0]
    ends = [
        float(np.dot(normal, plane_of(f).position_mm)) for f in (volume.first, volume.frames[-1])
    ]
    return min(ends), max(ends)


def lies_in(faulty: Volume, place: Volume) -> bool:
    """Whether an image of a faulty volume is on a slice position of a place."""
    if not alike(faulty.first, place.first):
        return False
    normal = axes_of(plane_of(place.first))[0]
    at = np.array([plane_of(f).position_mm for f in faulty.frames]) @ normal
    rungs = coordinates_mm(place.frames)[:, 0]
    nearest = np.abs(at[:, None] - rungs).min()
    return bool(nearest < SAME_POSITION * place.grid.spacing_mm[0])


def _complete_each_other(a: Place, b: Place) -> bool:
    one, other = a[0].kind, b[0].kind
    pictures = (one.composed, one.correction) == (other.composed, other.correction)
    shared = {round(v.kind.b, -1) for v in a} & {round(v.kind.b, -1) for v in b}
    return pictures and not shared and same_grid(a[0], b[0])


def _same_place(a: Volume, b: Volume) -> bool:
    x, y = a.kind, b.kind
    return (
        (x.frame_of_reference_uid, x.composed, x.correction)
        == (y.frame_of_reference_uid, y.composed, y.correction)
    ) and same_grid(a, b)
