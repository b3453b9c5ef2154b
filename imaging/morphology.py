"""Masks grown, shrunk and closed by a distance in mm, whatever the voxels' shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import SimpleITK

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imaging.geometry import Geometry

sitk: Any = SimpleITK  # it has no types


def grown(mask: NDArray[np.bool_], geometry: Geometry, margin_mm: float) -> NDArray[np.bool_]:
    """Add the voxels within about `margin_mm` of the mask; a negative margin takes them away.

    The ball's radius is rounded to whole voxels along each axis, so a margin of half a voxel or
    less does nothing along that axis.
    """
    if margin_mm < 0:
        return ~grown(~mask, geometry, -margin_mm)
    radius = _radius(geometry, margin_mm)
    if not any(radius) or not mask.any():
        return mask
    box = _box(mask, radius)
    result = mask.copy()
    result[box] = _dilate(mask[box], radius)
    return result


def closed(mask: NDArray[np.bool_], geometry: Geometry, radius_mm: float) -> NDArray[np.bool_]:
    """Fill gaps and bays narrower than about twice `radius_mm`."""
    radius = _radius(geometry, radius_mm)
    if not any(radius) or not mask.any():
        return mask
    box = _box(mask, radius)
    part = np.pad(mask[box], [(r, r) for r in radius])
    shrunk = ~_dilate(~_dilate(part, radius), radius)
    inner = tuple(slice(r, n - r) for r, n in zip(radius, part.shape, strict=True))
    result = mask.copy()
    result[box] |= shrunk[inner]
    return result


def _radius(geometry: Geometry, margin_mm: float) -> tuple[int, int, int]:
    slices, rows, columns = (int(np.ceil(margin_mm / s - 0.5)) for s in geometry.spacing_mm)
    return slices, rows, columns


def _dilate(mask: NDArray[np.bool_], radius: tuple[int, int, int]) -> NDArray[np.bool_]:
    image = sitk.GetImageFromArray(np.ascontiguousarray(mask).view(np.uint8))
    dilated = sitk.BinaryDilate(image, list(radius[::-1]), sitk.sitkBall, 0, 1)
    return np.asarray(sitk.GetArrayFromImage(dilated), dtype=np.bool_)


def _box(mask: NDArray[np.bool_], radius: tuple[int, int, int]) -> tuple[slice, slice, slice]:
    """Part of the array that holds the mask and what growing can reach."""
    bounds = []
    for axis in range(3):
        others = tuple(a for a in range(3) if a != axis)
        filled = np.flatnonzero(mask.any(axis=others))
        first = max(0, int(filled[0]) - radius[axis])
        bounds.append(slice(first, int(filled[-1]) + radius[axis] + 1))
    return bounds[0], bounds[1], bounds[2]
