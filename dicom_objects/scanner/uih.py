"""United Imaging: one file a volume, its slices as tiles, positions in a private sequence.

Structure as in real headers of software R002 (dicom.md A1): ImageType ends in VFRAME; no Image
Position (Patient) outside (0065,xx51), which has one item a slice; ceil(sqrt n) tiles across;
the actual b-value in (0065,xx09) and the one that was asked for in (0065,xx0A).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from pydicom import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import MRImageStorage

from dicom_objects.scanner.derived import vendor_adc
from dicom_objects.scanner.headers import Sequence, file_meta, header_of
from dicom_objects.scanner.mr_image import (
    direction_cosines,
    pixel_format,
    slice_positions_mm,
    tidy,
    window,
)
from dicom_objects.scanner.object_series import ObjectSeries
from dicom_objects.scanner.scan import Habit, Scan, numbered
from dicom_objects.uids import derived_uid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from dicom_objects.scanner.mr_image import MRVolume
    from imaging.diffusion import Station
    from imaging.geometry import Geometry

HABIT = Habit(
    name="uih",
    equipment={
        "Manufacturer": "UIH",
        "ManufacturerModelName": "OSTEON PHANTOM (synthetic)",
        "InstitutionName": "OSTEON PHANTOM",
        "InPlanePhaseEncodingDirection": "COL",
        "SoftwareVersions": "R002",
    },
    full_scale=30000,
)
_CREATOR = "Image Private Header"


def series(scan: Scan, distractors: bool) -> Iterator[ObjectSeries]:
    """Write one series a station with a file for each b-value, and the ADC map likewise."""
    for position, station in numbered(scan.stations):
        name = f"epi_dwi_st{position}"
        kind = ("ORIGINAL", "PRIMARY", "M", "VFRAME")
        sequence = Sequence(100 * position + 1, name, kind)
        yield ObjectSeries(sequence.number, name, _objects(scan, station, sequence))
        if distractors and len(station.volume.b_values) > 1:
            yield _adc(scan, position, station)


def nominal_b(b: float) -> float:
    """Return the b-value that the operator asked for: the actual one falls a little short."""
    return math.ceil(1.05 * b / 10) * 10.0


def tiled(pixels: NDArray[np.integer]) -> NDArray[np.integer]:
    """Lay (slice, row, column) out as tiles, row by row from the upper left; the rest is 0."""
    n, rows, columns = pixels.shape
    across = math.ceil(math.sqrt(n))
    down = math.ceil(n / across)
    whole = np.zeros((across * down, rows, columns), pixels.dtype)
    whole[:n] = pixels
    grid = whole.reshape(down, across, rows, columns).swapaxes(1, 2)
    return grid.reshape(down * rows, across * columns)


def _objects(scan: Scan, station: Station, sequence: Sequence) -> Iterator[Dataset]:
    place = scan.placed(station.volume.geometry)
    for k, (b, image) in enumerate(station.volume.images.items(), start=1):
        header = scan.header(sequence)
        header.SequenceName = "epi_dwi"
        mosaic = _mosaic(scan.volume(header, place, image), k)
        block = mosaic.private_block(0x0065, _CREATOR)
        block.add_new(0x09, "FD", float(b))
        block.add_new(0x0A, "FD", nominal_b(b))
        block.add_new(0x37, "FD", [0.0, 0.0, 0.0])
        yield mosaic


def _adc(scan: Scan, position: int, station: Station) -> ObjectSeries:
    name = f"epi_dwi_st{position}_ADC"
    sequence = Sequence(100 * position + 50, name, ("DERIVED", "PRIMARY", "ADC", "VFRAME"))
    place = scan.placed(station.volume.geometry)
    volume = scan.volume(scan.header(sequence), place, vendor_adc(station), unit=1.0)
    return ObjectSeries(sequence.number, name, [_mosaic(volume, 1)])


def _mosaic(volume: MRVolume, number: int) -> Dataset:
    slice_mm, row_mm, column_mm = volume.geometry.spacing_mm
    pixels = tiled(volume.pixels)
    mosaic = Dataset(volume.header)
    mosaic.update(
        header_of(
            {
                "SOPClassUID": MRImageStorage,
                "FrameOfReferenceUID": volume.geometry.frame_of_reference_uid,
                "PositionReferenceIndicator": "",
                "ImageOrientationPatient": direction_cosines(volume.geometry),
                "PixelSpacing": [tidy(row_mm), tidy(column_mm)],
                "SliceThickness": tidy(slice_mm),
                "SpacingBetweenSlices": tidy(slice_mm),
                **pixel_format(pixels, (pixels.shape[0], pixels.shape[1])),
                **window(volume.pixels, None),
                "InstanceNumber": number,
                "PixelData": pixels.astype("<u2", copy=False).tobytes(),
            }
        )
    )
    mosaic.file_meta = file_meta()
    mosaic.SOPInstanceUID = derived_uid(str(mosaic.SeriesInstanceUID), str(number))
    mosaic.file_meta.MediaStorageSOPInstanceUID = mosaic.SOPInstanceUID
    block = mosaic.private_block(0x0065, _CREATOR, create=True)
    block.add_new(0x50, "DS", str(len(volume.pixels)))
    block.add_new(0x51, "SQ", _slices(volume.geometry, volume.header))
    return mosaic


def _slices(geometry: Geometry, header: Dataset) -> Items:
    items = []
    for position in slice_positions_mm(geometry):
        item = header_of(
            {
                "AcquisitionDate": header.AcquisitionDate,
                "AcquisitionTime": header.AcquisitionTime,
                "ImagePositionPatient": [tidy(v) for v in position],
                "SliceLocation": tidy(position[2]),
            }
        )
        items.append(item)
    return Items(items)
