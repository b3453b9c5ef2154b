"""Classic MR Image Storage data sets (PS3.3 A.4): one header a series, one file a slice."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage
from pydicom.valuerep import DSfloat

from dicom_objects.uids import (
    IMPLEMENTATION_CLASS_UID,
    IMPLEMENTATION_VERSION_NAME,
    derived_uid,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from imaging.geometry import Geometry

_WINDOW_PERCENTILE = 99.5


@dataclass(frozen=True, eq=False)
class MRSeries:
    """One series to write: pixels are uint16 (slice, row, column) on `geometry`."""

    header: Dataset
    """Everything that all slices share, patient to sequence parameters."""
    geometry: Geometry
    pixels: NDArray[np.uint16] = field(repr=False)
    rescale: tuple[float, float] = (1.0, 0.0)
    """Slope and intercept: image = pixels * slope + intercept."""


def write_series(series: MRSeries, folder: Path) -> tuple[Path, ...]:
    """Write `folder`/IM0001.dcm and so on, Explicit VR Little Endian; return the paths by slice.

    SOP Instance UIDs derive from the Series Instance UID and the slice's position in the stack.
    """
    folder.mkdir(parents=True, exist_ok=True)
    template = _image_plane(series)
    paths = []
    for index, position in enumerate(_positions_mm(series.geometry)):
        _set_slice(template, index, position)
        template.PixelData = series.pixels[index].astype("<u2", copy=False).tobytes()
        path = folder / f"IM{index + 1:04d}.dcm"
        dcmwrite(path, template, enforce_file_format=True)
        paths.append(path)
    return tuple(paths)


def header_of(values: Mapping[str, object]) -> Dataset:
    """Build a data set from keywords and values."""
    header = Dataset()
    for keyword, value in values.items():
        setattr(header, keyword, value)
    return header


def direction_cosines(geometry: Geometry) -> list[float]:
    """Image Orientation (Patient): along a row first, then down a column (C.7.6.2.1.1)."""
    axes = geometry.affine[:3, :3] / np.linalg.norm(geometry.affine[:3, :3], axis=0)
    return [_tidy(v) for v in (*axes[:, 2], *axes[:, 1])]


def _image_plane(series: MRSeries) -> Dataset:
    slice_mm, row_mm, column_mm = series.geometry.spacing_mm
    _, rows, columns = series.geometry.shape
    slope, intercept = series.rescale
    top = float(np.percentile(series.pixels[:, ::4, ::4], _WINDOW_PERCENTILE)) * slope + intercept
    header = Dataset(series.header)
    header.update(
        header_of(
            {
                "SOPClassUID": MRImageStorage,
                "FrameOfReferenceUID": series.geometry.frame_of_reference_uid,
                "PositionReferenceIndicator": "",
                "ImageOrientationPatient": direction_cosines(series.geometry),
                "PixelSpacing": [_tidy(row_mm), _tidy(column_mm)],
                "SliceThickness": _tidy(slice_mm),
                "SpacingBetweenSlices": _tidy(slice_mm),
                "SamplesPerPixel": 1,
                "PhotometricInterpretation": "MONOCHROME2",
                "Rows": rows,
                "Columns": columns,
                "BitsAllocated": 16,
                "BitsStored": 16,
                "HighBit": 15,
                "PixelRepresentation": 0,
                "WindowCenter": _tidy(max(top / 2, 1.0)),
                "WindowWidth": _tidy(max(top, 2.0)),
                "RescaleSlope": DSfloat(slope, auto_format=True),
                "RescaleIntercept": DSfloat(intercept, auto_format=True),
                "RescaleType": "US",
            }
        )
    )
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.file_meta.ImplementationClassUID = IMPLEMENTATION_CLASS_UID
    header.file_meta.ImplementationVersionName = IMPLEMENTATION_VERSION_NAME
    return header


def _set_slice(header: Dataset, index: int, position: NDArray[np.float64]) -> None:
    header.SOPInstanceUID = derived_uid(str(header.SeriesInstanceUID), str(index))
    header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID
    header.InstanceNumber = index + 1
    header.ImagePositionPatient = [_tidy(v) for v in position]
    header.SliceLocation = _tidy(position[2])


def _positions_mm(geometry: Geometry) -> NDArray[np.float64]:
    index = np.zeros((geometry.shape[0], 3))
    index[:, 0] = np.arange(geometry.shape[0])
    return geometry.to_patient_mm(index)


def _tidy(value: float) -> float:
    """Round to what a decimal string of 16 characters holds (PS3.5 6.2, VR DS)."""
    return round(float(value), 6) + 0.0
