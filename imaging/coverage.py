"""How much of each bone region the images show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from imaging.anatomy import BONES, STRUCTURES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imaging.geometry import Geometry

SEEN_ML = 1.0
"""A region with less volume than this is not in the images; a few voxels are a model's error."""

TYPICAL_HEIGHT_MM: dict[str, float] = {
    "skull": 180.0,
    "cervical_spine": 110.0,
    "thoracic_spine": 270.0,
    "lumbar_spine": 180.0,
    "sacrum": 100.0,
    "pelvis": 200.0,
    "ribs": 300.0,
    "sternum": 160.0,
    "clavicles": 40.0,
    "scapulae": 150.0,
    "humerus_left": 250.0,
    "humerus_right": 250.0,
    "femur_left": 200.0,
    "femur_right": 200.0,
}
"""Height along z of an adult's region as vertex-to-mid-thigh images show it: round figures of
ours, used only to judge a region that the end of the images cuts."""


def region_coverage(labels: NDArray[np.uint8], geometry: Geometry) -> dict[str, float | None]:
    """Return for each bone the share that the images show: None where it is not in them.

    A region that does not reach the first or last slice is complete (1.0). One that does is cut
    there; its share is its height over the typical height, at most 1.0. This is an estimate.
    """
    n_voxels = np.stack([np.bincount(s.reshape(-1), minlength=len(STRUCTURES)) for s in labels])
    volumes_ml = n_voxels.sum(axis=0) * geometry.voxel_volume_ml
    height_mm = abs(float(geometry.affine[2, 0]))
    shares: dict[str, float | None] = {}
    for bone in BONES:
        if volumes_ml[bone.label] < SEEN_ML:
            shares[bone.name] = None
            continue
        present = np.flatnonzero(n_voxels[:, bone.label])
        first, last = int(present[0]), int(present[-1])
        cut = first == 0 or last == len(n_voxels) - 1
        typical = TYPICAL_HEIGHT_MM[bone.name]
        shares[bone.name] = min(1.0, (last - first + 1) * height_mm / typical) if cut else 1.0
    return shares
