"""What a registration finds, and images and labels carried through it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import SimpleITK

from imaging.resampling import to_itk

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from imaging.geometry import Geometry

sitk: Any = SimpleITK  # it has no types
_SLICES_AT_ONCE = 8


@dataclass(frozen=True, eq=False)
class Warp:
    """Where a point p of the fixed image lies in the moving image: `matrix` (p + u(p)), LPS mm.

    `displacement_mm` is u, float32 (slice, row, column, 3) of (x, y, z) on `geometry`, linear
    between its voxels and zero outside; `matrix` float64 (4, 4) is affine.
    """

    matrix: NDArray[np.float64] = field(repr=False)
    displacement_mm: NDArray[np.float32] = field(repr=False)
    geometry: Geometry

    def itk_transform(self) -> Any:  # noqa: ANN401 - SimpleITK has no types
        """Return the same as a SimpleITK transform."""
        affine = sitk.AffineTransform(3)
        affine.SetMatrix(self.matrix[:3, :3].reshape(-1).tolist())
        affine.SetTranslation(self.matrix[:3, 3].tolist())
        values = np.ascontiguousarray(self.displacement_mm, dtype=np.float64)
        shift = sitk.GetImageFromArray(values, isVector=True)
        shift.CopyInformation(to_itk(np.zeros(self.geometry.shape, np.uint8), self.geometry))
        # The one added last is applied first.
        return sitk.CompositeTransform([affine, sitk.DisplacementFieldTransform(shift)])

    def moved_mm(self, points_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return where points (n, 3) of (x, y, z) of the fixed image lie in the moving one."""
        transform = self.itk_transform()
        return np.array([transform.TransformPoint(p) for p in points_mm.tolist()])


def carry(
    array: NDArray[np.float32], geometry: Geometry, warp: Warp, target: Geometry
) -> NDArray[np.float32]:
    """Return a moving image (slice, row, column) on `target` of the fixed one: linear, 0 outside.

    Raises:
        GeometryError: the array is not on its geometry.

    """
    resampler = _resampler(warp, sitk.sitkFloat32)
    moving = to_itk(array.astype(np.float32, copy=False), geometry)
    parts = [_part(resampler, moving, part) for part in _chunks(target)]
    return np.concatenate(parts)


def carry_shares(
    labels: NDArray[np.uint8],
    wanted: Sequence[int],
    geometry: Geometry,
    warp: Warp,
    target: Geometry,
) -> NDArray[np.float32]:
    """Return how much of each wanted label lies at every voxel of `target`, 0 to 1.

    Each label is a mask of its own, interpolated linearly, so that the shares of all labels
    (background too) sum to one wherever the moving image reaches.

    Args:
        labels: (slice, row, column) on `geometry`.
        wanted: the labels that are carried.
        geometry: of `labels`, in the moving image's coordinates.
        warp: from `target`'s coordinates to the moving image's.
        target: the grid of the answer.

    Returns:
        float32 (wanted label, slice, row, column).

    Raises:
        GeometryError: the labels are not on their geometry.

    """
    out = np.zeros((len(wanted), *target.shape), dtype=np.float32)
    if not wanted:
        return out
    masks = np.stack([labels == label for label in wanted], axis=-1).astype(np.uint8)
    moving = sitk.GetImageFromArray(masks, isVector=True)
    moving.CopyInformation(to_itk(labels, geometry))
    resampler = _resampler(warp, sitk.sitkVectorFloat32)
    start = 0
    for part in _chunks(target):
        stop = start + part.shape[0]
        out[:, start:stop] = np.moveaxis(_part(resampler, moving, part), -1, 0)
        start = stop
    return out


def _resampler(warp: Warp, kind: int) -> Any:  # noqa: ANN401
    resampler = sitk.ResampleImageFilter()
    resampler.SetNumberOfThreads(1)
    resampler.SetInterpolator(sitk.sitkLinear)
    resampler.SetTransform(warp.itk_transform())
    resampler.SetOutputPixelType(kind)
    return resampler


def _part(resampler: Any, moving: Any, part: Geometry) -> NDArray[np.float32]:  # noqa: ANN401
    resampler.SetReferenceImage(to_itk(np.zeros(part.shape, np.uint8), part))
    return np.asarray(sitk.GetArrayFromImage(resampler.Execute(moving)), dtype=np.float32)


def _chunks(target: Geometry) -> Iterator[Geometry]:
    """Few slices at once: twenty labels of a whole body as float32 are large."""
    n, rows, columns = target.shape
    for start in range(0, n, _SLICES_AT_ONCE):
        yield target.crop((start, 0, 0), (min(start + _SLICES_AT_ONCE, n), rows, columns))
