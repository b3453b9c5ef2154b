"""What a registration finds, and images and labels carried through it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import SimpleITK
from scipy import ndimage

from imaging.errors import GeometryError
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
        # The one added last is applied first.
        return sitk.CompositeTransform(
            [affine, sitk.DisplacementFieldTransform(self.itk_displacement())]
        )

    def itk_displacement(self) -> Any:  # noqa: ANN401
        """Return the displacement, mm, as a SimpleITK vector image."""
        values = np.ascontiguousarray(self.displacement_mm, dtype=np.float64)
        shift = sitk.GetImageFromArray(values, isVector=True)
        shift.CopyInformation(to_itk(np.zeros(self.geometry.shape, np.uint8), self.geometry))
        return shift

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
    moved = sitk.Resample(
        to_itk(array.astype(np.float32, copy=False), geometry),
        to_itk(np.zeros(target.shape, np.uint8), target),
        warp.itk_transform(),
        sitk.sitkLinear,
        0.0,
    )
    return np.asarray(sitk.GetArrayFromImage(moved), dtype=np.float32)


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
    if labels.shape != geometry.shape:
        message = f"labels of shape {labels.shape} do not lie on a grid of {geometry.shape}"
        raise GeometryError(message)
    row_of = np.zeros(256, dtype=np.uint8)
    row_of[list(wanted)] = np.arange(1, len(wanted) + 1)
    rows = row_of[np.pad(labels, 1)]
    near = ndimage.maximum_filter(rows > 0, size=2, origin=-1)
    to_moving = np.linalg.inv(geometry.affine) @ warp.matrix
    shift = warp.itk_displacement()
    parts = []
    for part in _chunks(target):
        at = _moved_index(to_moving, shift, part)
        # Only where one of the eight corners holds a label: a tenth of a body.
        low = np.clip(np.floor(at), -1, np.array(labels.shape)[:, np.newaxis] - 1).astype(np.intp)
        found = np.flatnonzero(near[tuple(low + 1)])
        shares = _corner_shares(rows, low[:, found], at[:, found], len(wanted) + 1)
        out = np.zeros((len(wanted), low.shape[1]), dtype=np.float32)
        out[:, found] = shares[1:]
        parts.append(out.reshape(len(wanted), *part.shape))
    return np.concatenate(parts, axis=1)


def _moved_index(
    to_moving: NDArray[np.float64],
    shift: Any,  # noqa: ANN401
    part: Geometry,
) -> NDArray[np.float64]:
    """Return where the voxels of `part` lie in the moving image: (3, n) of (slice, row, column)."""
    here = to_itk(np.zeros(part.shape, np.uint8), part)
    shift = sitk.Resample(shift, here, sitk.Transform(), sitk.sitkLinear, 0.0)
    shift_mm = np.asarray(sitk.GetArrayFromImage(shift)).reshape(-1, 3).T
    affine = to_moving @ part.affine
    index = np.indices(part.shape).reshape(3, -1)
    at: NDArray[np.float64] = affine[:3, :3] @ index + affine[:3, 3:] + to_moving[:3, :3] @ shift_mm
    return at


def _corner_shares(
    padded_rows: NDArray[np.uint8], low: NDArray[np.intp], at: NDArray[np.float64], n_rows: int
) -> NDArray[np.float64]:
    """Return (row, point): the weights of the eight corners around every point, by their row."""
    n = at.shape[1]
    part = np.clip(at - low, 0, 1)
    flat, weights = [], []
    for corner in np.ndindex(2, 2, 2):
        step = np.array(corner)[:, np.newaxis]
        weights.append(np.where(step, part, 1 - part).prod(axis=0))
        flat.append(padded_rows[tuple(low + 1 + step)].astype(np.intp) * n + np.arange(n))
    n_cells = n_rows * n
    counted = np.bincount(np.concatenate(flat), np.concatenate(weights), minlength=n_cells)
    return np.asarray(counted, dtype=np.float64).reshape(n_rows, n)


def _chunks(target: Geometry) -> Iterator[Geometry]:
    """Few slices at once: the positions of a whole body's voxels are large."""
    n, rows, columns = target.shape
    for start in range(0, n, _SLICES_AT_ONCE):
        yield target.crop((start, 0, 0), (min(start + _SLICES_AT_ONCE, n), rows, columns))
