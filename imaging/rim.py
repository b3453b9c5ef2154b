"""The rim of the body under the skin, and the air well away from it, slice by slice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imaging.geometry import Geometry


def body_rim(body: NDArray[np.bool_], geometry: Geometry, depth_mm: float) -> NDArray[np.bool_]:
    """Return the voxels of the body within `depth_mm` of its outline, along rows or columns."""
    return body & ~_square(body, geometry, depth_mm, widest=False)


def far_air(body: NDArray[np.bool_], geometry: Geometry, distance_mm: float) -> NDArray[np.bool_]:
    """Return the voxels farther than `distance_mm` from the body within their slice."""
    return ~_square(body, geometry, distance_mm, widest=True)


def _square(
    mask: NDArray[np.bool_], geometry: Geometry, reach_mm: float, *, widest: bool
) -> NDArray[np.bool_]:
    """Grow (or shrink) within the slices by a square; beyond the image is what its edge is."""
    run = ndimage.maximum_filter1d if widest else ndimage.minimum_filter1d
    result = mask.view(np.uint8)
    for axis in (1, 2):
        n = round(reach_mm / geometry.spacing_mm[axis])
        result = run(result, 2 * n + 1, axis=axis, mode="nearest")
    return result.view(np.bool_)
