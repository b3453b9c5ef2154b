"""Images and label maps in files of other research software: NIfTI, and what else ITK reads.

NIfTI keeps its coordinates as RAS (x to the right, y to the front), DICOM and Osteon as LPS.
ITK turns one into the other on the way in and out, so everything here is LPS.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import SimpleITK

from imaging.errors import GeometryError, ImagingError
from imaging.geometry import Geometry
from imaging.resampling import to_itk

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

sitk: Any = SimpleITK  # it has no types
_FREE_FORM = "ITK only supports orthonormal direction cosines"


class UnreadableImage(ImagingError):  # noqa: N818 - it names the condition
    """A file holds no 3-D image; the message says which file and why."""

    code = "IMAGE_FILE"


def read_image(path: Path) -> tuple[NDArray[np.float32], Geometry]:
    """Return the values, float32 (slice, row, column), and their grid in LPS mm.

    Raises:
        UnreadableImage: no image, not 3-D, several values a voxel, or sheared axes.

    """
    array, geometry = _read(path)
    return array.astype(np.float32), geometry


def read_label_map(path: Path) -> tuple[NDArray[np.int64], Geometry]:
    """Return the labels, whole numbers (slice, row, column), and their grid in LPS mm.

    Raises:
        UnreadableImage: as for `read_image`, or a value that is not a whole number.

    """
    array, geometry = _read(path)
    labels = np.rint(array).astype(np.int64)
    if np.issubdtype(array.dtype, np.floating) and not np.array_equal(labels, array):
        message = f"{path} holds values between whole numbers: it is no label map"
        raise UnreadableImage(message)
    return labels, geometry


def write_image(array: NDArray[Any], geometry: Geometry, path: Path) -> None:
    """Write (slice, row, column) values to the format that the file's name asks for.

    Raises:
        GeometryError: the array is not on the geometry.

    """
    sitk.WriteImage(to_itk(array, geometry), str(path), path.name.endswith(".gz"))


def _read(path: Path) -> tuple[NDArray[Any], Geometry]:
    try:
        image = sitk.ReadImage(str(path))
    except RuntimeError as error:
        sheared = _FREE_FORM in str(error)
        why = "its axes are not at right angles; resample it" if sheared else "it cannot be read"
        raise UnreadableImage(f"{path} is no usable image: {why}") from error
    if image.GetDimension() != 3 or image.GetNumberOfComponentsPerPixel() != 1:
        raise UnreadableImage(f"{path} must hold one value a voxel in three dimensions")
    try:
        geometry = _geometry(image)
    except GeometryError as error:
        raise UnreadableImage(f"{path}: {error}") from error
    array: NDArray[Any] = sitk.GetArrayFromImage(image)
    return array, geometry


def _geometry(image: Any) -> Geometry:  # noqa: ANN401 - SimpleITK has no types
    directions = np.array(image.GetDirection()).reshape(3, 3)
    affine = np.eye(4)
    # ITK counts (column, row, slice), numpy the other way round.
    affine[:3, :3] = (directions * np.array(image.GetSpacing()))[:, ::-1]
    affine[:3, 3] = image.GetOrigin()
    columns, rows, slices = image.GetSize()
    return Geometry((slices, rows, columns), affine)
