"""Where voxels are: the grid of an image in the patient's coordinate system."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from imaging.errors import GeometryError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_AFFINE_SHAPE = (4, 4)


@dataclass(frozen=True, eq=False)
class Geometry:
    """A grid of voxels: array axes are (slice, row, column), coordinates are DICOM LPS in mm.

    `affine` maps homogeneous array indices (slice, row, column, 1) of voxel centres to LPS mm, so
    its first three columns belong to the three array axes in that order (PS3.3 C.7.6.2.1.1, with
    the slice axis first, as numpy and highdicom order a stack of slices).
    """

    shape: tuple[int, int, int]
    affine: NDArray[np.float64] = field(repr=False)
    frame_of_reference_uid: str = ""

    def __post_init__(self) -> None:
        """Copy and freeze the affine; refuse what is not a grid.

        Raises:
            GeometryError: the shape is not three positive integers, or the affine is singular.

        """
        affine = np.array(self.affine, dtype=np.float64)
        if affine.shape != _AFFINE_SHAPE or not np.isfinite(affine).all():
            message = f"affine must be 4x4 and finite, got shape {affine.shape}"
            raise GeometryError(message)
        if abs(np.linalg.det(affine[:3, :3])) < 1e-9:
            message = "affine is singular: two array axes point the same way or a spacing is zero"
            raise GeometryError(message)
        shape = tuple(int(n) for n in self.shape)
        if len(shape) != 3 or min(shape) < 1:
            message = f"shape must be three positive integers, got {self.shape}"
            raise GeometryError(message)
        affine.flags.writeable = False
        object.__setattr__(self, "affine", affine)
        object.__setattr__(self, "shape", shape)

    @classmethod
    def axial(
        cls,
        shape: tuple[int, int, int],
        spacing_mm: tuple[float, float, float],
        origin_mm: tuple[float, float, float],
        frame_of_reference_uid: str = "",
    ) -> Geometry:
        """Axial slices from feet to head, rows to posterior, columns to the patient's left.

        Args:
            shape: (slices, rows, columns).
            spacing_mm: distances along the array axes (slice, row, column).
            origin_mm: LPS position (x, y, z) of the centre of voxel (0, 0, 0).
            frame_of_reference_uid: the DICOM frame that the coordinates belong to.

        """
        dz, dy, dx = spacing_mm
        affine = np.eye(4)
        affine[:3, :3] = [[0, 0, dx], [0, dy, 0], [dz, 0, 0]]
        affine[:3, 3] = origin_mm
        return cls(shape, affine, frame_of_reference_uid)

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distances between voxel centres along (slice, row, column)."""
        lengths = np.linalg.norm(self.affine[:3, :3], axis=0)
        return (float(lengths[0]), float(lengths[1]), float(lengths[2]))

    @property
    def origin_mm(self) -> tuple[float, float, float]:
        """LPS position (x, y, z) of the centre of voxel (0, 0, 0)."""
        x, y, z = self.affine[:3, 3]
        return (float(x), float(y), float(z))

    @property
    def voxel_volume_ml(self) -> float:
        """Volume of one voxel in mL, from positions and not from SliceThickness."""
        return float(abs(np.linalg.det(self.affine[:3, :3])) / 1000.0)

    def to_patient_mm(self, index: ArrayLike) -> NDArray[np.float64]:
        """LPS mm of indices: (..., 3) array of (slice, row, column) → (..., 3) of (x, y, z)."""
        points = np.asarray(index, dtype=np.float64)
        result: NDArray[np.float64] = points @ self.affine[:3, :3].T + self.affine[:3, 3]
        return result

    def to_index(self, point_mm: ArrayLike) -> NDArray[np.float64]:
        """Fractional (slice, row, column) of LPS points: (..., 3) of (x, y, z) → (..., 3)."""
        points = np.asarray(point_mm, dtype=np.float64) - self.affine[:3, 3]
        result: NDArray[np.float64] = points @ np.linalg.inv(self.affine[:3, :3]).T
        return result

    def crop(self, start: tuple[int, int, int], stop: tuple[int, int, int]) -> Geometry:
        """Return the grid of `array[start[0]:stop[0], start[1]:stop[1], start[2]:stop[2]]`."""
        affine = self.affine.copy()
        affine[:3, 3] = self.to_patient_mm(start)
        shape = (stop[0] - start[0], stop[1] - start[1], stop[2] - start[2])
        return Geometry(shape, affine, self.frame_of_reference_uid)

    def matches(self, other: Geometry, tolerance_mm: float = 0.01) -> bool:
        """Whether both grids have the same shape and all corners within `tolerance_mm`."""
        if self.shape != other.shape:
            return False
        corners = np.array(np.meshgrid(*[(0, n - 1) for n in self.shape], indexing="ij"))
        index = corners.reshape(3, -1).T
        distance = self.to_patient_mm(index) - other.to_patient_mm(index)
        return bool(np.abs(distance).max() <= tolerance_mm)
