"""Canon, once Toshiba: classic images of single directions, which only a comment tells.

Structure as in real headers (dicom.md A1). Software V6.0: b 0 says 0, weighted images say their
b-value, and the direction stands in Image Comments, `b=900(1.000,0.000,0.000)`. Software V5.0:
b 0 has no b-value in any place, the direction is in (0018,9089). No trace image is stored: a
reader forms the geometric mean of the directions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dicom_objects.scanner.derived import DIRECTIONS, WEIGHTED_FROM, Direction, vendor_adc
from dicom_objects.scanner.headers import Sequence
from dicom_objects.scanner.mr_image import slices_of
from dicom_objects.scanner.object_series import ObjectSeries
from dicom_objects.scanner.scan import Habit, Scan, numbered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from pydicom import Dataset

    from imaging.diffusion import Station

HABIT = Habit(
    name="canon",
    equipment={
        "Manufacturer": "CANON_MEC",
        "ManufacturerModelName": "OSTEON PHANTOM (synthetic)",
        "InstitutionName": "OSTEON PHANTOM",
        "InPlanePhaseEncodingDirection": "COL",
    },
    full_scale=24000,
    dtype=np.int16,
)
V50, V60 = "V5.0SP6000*", "V6.0SP2000*"


def series(scan: Scan, distractors: bool) -> Iterator[ObjectSeries]:
    """Write odd stations as software V6.0 does, even ones as V5.0: one study tests both."""
    for position, station in numbered(scan.stations):
        software = V60 if position % 2 else V50
        name = f"DWI_st{position}"
        sequence = Sequence(1000 * position, name, ("ORIGINAL", "PRIMARY", "GDC"))
        yield ObjectSeries(sequence.number, name, _objects(scan, station, sequence, software))
        if distractors and len(station.volume.b_values) > 1:
            yield _adc(scan, position, station, software)


def _objects(scan: Scan, station: Station, sequence: Sequence, software: str) -> Iterator[Dataset]:
    place = scan.placed(station.volume.geometry)
    for k, (b, direction, image) in enumerate(_acquired(station), start=1):
        header = _header(scan, sequence, software)
        # Each volume is an acquisition of its own, but all have one temporal position.
        header.AcquisitionNumber = k
        header.TemporalPositionIndex = 1
        _set_weighting(header, b, direction, software)
        volume = scan.volume(header, place, image)
        yield from slices_of(volume, first=(k - 1) * place.shape[0])


def _acquired(
    station: Station,
) -> Iterator[tuple[float, Direction | None, NDArray[np.float32]]]:
    for b, image in station.volume.images.items():
        if b <= WEIGHTED_FROM:
            yield b, None, image
            continue
        for direction in DIRECTIONS:
            yield b, direction, image * np.float32(direction.factor)


def _set_weighting(header: Dataset, b: float, direction: Direction | None, software: str) -> None:
    if software == V60 or direction is not None:
        header.DiffusionBValue = float(b)
    if direction is None:
        return
    if software == V60:
        x, y, z = direction.gradient
        header.ImageComments = f"b={b:.0f}({x:.3f},{y:.3f},{z:.3f})"
    else:
        header.DiffusionGradientOrientation = list(direction.gradient)


def _adc(scan: Scan, position: int, station: Station, software: str) -> ObjectSeries:
    name = f"DWI_st{position}_ADC"
    sequence = Sequence(1000 * position + 50, name, ("DERIVED", "PRIMARY", "ADC"))
    place = scan.placed(station.volume.geometry)
    header = _header(scan, sequence, software)
    volume = scan.volume(header, place, vendor_adc(station), unit=1.0)
    return ObjectSeries(sequence.number, name, slices_of(volume))


def _header(scan: Scan, sequence: Sequence, software: str) -> Dataset:
    header = scan.header(sequence)
    header.SoftwareVersions = software
    header.ScanningSequence = ["SE", "EP"]
    header.SequenceVariant = "NONE"
    header.SequenceName = "SEEPI2D+0.7"
    header.RescaleIntercept, header.RescaleSlope = 0, 1
    return header
