"""Images between any two grids in the patient's coordinates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import SimpleITK

from imaging.errors import GeometryError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imaging.geometry import Geometry

sitk: Any = SimpleITK  # it has no types
_INTERPOLATORS = {0: sitk.sitkNearestNeighbor, 1: sitk.sitkLinear}


def to_itk(array: NDArray[Any], geometry: Geometry) -> Any:  # noqa: ANN401 - SimpleITK has no types
    """Return the array (slice, row, column) as a SimpleITK image at its place in LPS mm.

    Raises:
        GeometryError: the array is not on the geometry.

    """
    if array.shape != geometry.shape:
        message = f"array of shape {array.shape} does not lie on a grid of {geometry.shape}"
        raise GeometryError(message)
    values = array.astype(np.uint8) if array.dtype == np.bool_ else array
    image = sitk.GetImageFromArray(np.ascontiguousarray(values))
    spacing = geometry.spacing_mm
    # ITK counts (column, row, slice), numpy the other way round.
    directions = (geometry.affine[:3, :3] / np.array(spacing))[:, ::-1]
    image.SetSpacing(spacing[::-1])
    image.SetOrigin(geometry.origin_mm)
    image.SetDirection(directions.reshape(-1).tolist())
    return image


def resample(
    array: NDArray[Any],
    geometry: Geometry,
    target: Geometry,
    *,
    order: int = 1,
    fill: float = 0.0,
) -> NDArray[Any]:
    """Return `array` on `target`: linear (`order` 1) or nearest (0), `fill` outside.

    The dtype stays; booleans become booleans again, so give masks `order=0`.

    Raises:
        GeometryError: the array is not on its geometry.

    """
    spacing = target.spacing_mm
    resampler = sitk.ResampleImageFilter()
    resampler.SetInterpolator(_INTERPOLATORS[order])
    resampler.SetDefaultPixelValue(fill)
    resampler.SetSize([int(n) for n in target.shape[::-1]])
    resampler.SetOutputSpacing(spacing[::-1])
    resampler.SetOutputOrigin(target.origin_mm)
    directions = (target.affine[:3, :3] / np.array(spacing))[:, ::-1]
    resampler.SetOutputDirection(directions.reshape(-1).tolist())
    moved: NDArray[Any] = sitk.GetArrayFromImage(resampler.Execute(to_itk(array, geometry)))
    return moved.astype(array.dtype, copy=False)
