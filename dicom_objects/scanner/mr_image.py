"""Classic MR Image Storage data sets (PS3.3 A.4): one header a volume, one object a slice."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from pydicom import Dataset
from pydicom.uid import MRImageStorage
from pydicom.valuerep import DSfloat

from dicom_objects.scanner.headers import file_meta, header_of
from dicom_objects.uids import derived_uid

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from imaging.geometry import Geometry

_WINDOW_PERCENTILE = 99.5


@dataclass(frozen=True, eq=False)
class MRVolume:
    """One volume to write: pixels are uint16 or int16 (slice, row, column) on `geometry`."""

    header: Dataset
    """Everything that all slices share, patient to sequence parameters."""
    geometry: Geometry
    pixels: NDArray[np.integer] = field(repr=False)
    rescale: tuple[float, float] | None = (1.0, 0.0)
    """Slope and intercept: image = pixels * slope + intercept; None: the header has neither."""


def slices_of(
    volume: MRVolume, first: int = 0, instance_numbers: Sequence[int] | None = None
) -> Iterator[Dataset]:
    """Yield the objects by slice: one data set, filled anew each time.

    SOP Instance UIDs derive from the Series Instance UID and the slice's place in the series,
    which begins at `first` for this volume. Instance numbers count on unless they are given.
    """
    template = _image_plane(volume)
    for index, position in enumerate(slice_positions_mm(volume.geometry)):
        place = first + index
        template.SOPInstanceUID = derived_uid(str(template.SeriesInstanceUID), str(place))
        template.file_meta.MediaStorageSOPInstanceUID = template.SOPInstanceUID
        template.InstanceNumber = instance_numbers[index] if instance_numbers else place + 1
        template.ImagePositionPatient = [tidy(v) for v in position]
        template.SliceLocation = tidy(position[2])
        template.PixelData = volume.pixels[index].astype(_little(volume), copy=False).tobytes()
        yield template


def direction_cosines(geometry: Geometry) -> list[float]:
    """Image Orientation (Patient): along a row first, then down a column (C.7.6.2.1.1)."""
    axes = geometry.affine[:3, :3] / np.linalg.norm(geometry.affine[:3, :3], axis=0)
    return [tidy(v) for v in (*axes[:, 2], *axes[:, 1])]


def slice_positions_mm(geometry: Geometry) -> NDArray[np.float64]:
    """Return Image Position (Patient) of every slice: (slices, 3)."""
    index = np.zeros((geometry.shape[0], 3))
    index[:, 0] = np.arange(geometry.shape[0])
    return geometry.to_patient_mm(index)


def pixel_format(pixels: NDArray[np.integer], shape: tuple[int, int]) -> dict[str, object]:
    """Return the attributes of the Image Pixel module for stored frames of `shape`."""
    return {
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "Rows": shape[0],
        "Columns": shape[1],
        "BitsAllocated": 16,
        "BitsStored": 16,
        "HighBit": 15,
        "PixelRepresentation": int(np.issubdtype(pixels.dtype, np.signedinteger)),
    }


def window(pixels: NDArray[np.integer], rescale: tuple[float, float] | None) -> dict[str, float]:
    """Return centre and width of a window that shows the body."""
    slope, intercept = rescale or (1.0, 0.0)
    top = float(np.percentile(pixels[:, ::4, ::4], _WINDOW_PERCENTILE)) * slope + intercept
    return {"WindowCenter": tidy(max(top / 2, 1.0)), "WindowWidth": tidy(max(top, 2.0))}


def tidy(value: float) -> float:
    """Round to what a decimal string of 16 characters holds (PS3.5 6.2, VR DS)."""
    return round(float(value), 6) + 0.0


def _image_plane(volume: MRVolume) -> Dataset:
    slice_mm, row_mm, column_mm = volume.geometry.spacing_mm
    header = Dataset(volume.header)
    header.update(
        header_of(
            {
                "SOPClassUID": MRImageStorage,
                "FrameOfReferenceUID": volume.geometry.frame_of_reference_uid,
                "PositionReferenceIndicator": "",
                "ImageOrientationPatient": direction_cosines(volume.geometry),
                "PixelSpacing": [tidy(row_mm), tidy(column_mm)],
                "SliceThickness": tidy(slice_mm),
                "SpacingBetweenSlices": tidy(slice_mm),
                **pixel_format(volume.pixels, volume.geometry.shape[1:]),
                **window(volume.pixels, volume.rescale),
            }
        )
    )
    if volume.rescale is not None:
        slope, intercept = volume.rescale
        header.RescaleSlope = DSfloat(slope, auto_format=True)
        header.RescaleIntercept = DSfloat(intercept, auto_format=True)
        header.RescaleType = volume.header.get("RescaleType", "US")
    header.file_meta = file_meta()
    return header


def _little(volume: MRVolume) -> np.dtype[np.integer]:
    return volume.pixels.dtype.newbyteorder("<")
