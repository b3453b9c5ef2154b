"""Philips classic: all b-values, directions, trace images and the ADC map in one series.

Structure as in real headers of releases 5.3 and 5.7 (dicom.md A1): everything is labelled
ORIGINAL, PRIMARY, M_SE, only (2001,xx04) = I tells the trace images from the directions M, P and
S; repeated b 0 images have b-values of 0.001 and 0.002; Instance Number follows neither space nor
b-value; integers become signal with a slope that differs from series to series. A private object
without pixels and a presentation state lie among the images.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from pydicom.sequence import Sequence as Items

from dicom_objects.scanner.derived import DIRECTIONS, WEIGHTED_FROM, vendor_adc
from dicom_objects.scanner.headers import Sequence, header_of
from dicom_objects.scanner.mr_image import MRVolume, slices_of
from dicom_objects.scanner.object_series import ObjectSeries
from dicom_objects.scanner.philips_objects import presentation_state, private_object
from dicom_objects.scanner.scan import Habit, Scan, numbered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from pydicom import Dataset

    from imaging.diffusion import Station
    from imaging.geometry import Geometry

HABIT = Habit(
    name="philips",
    equipment={
        "Manufacturer": "Philips Medical Systems",
        "ManufacturerModelName": "OSTEON PHANTOM (synthetic)",
        "InstitutionName": "OSTEON PHANTOM",
        "InPlanePhaseEncodingDirection": "COL",
        "SoftwareVersions": ["5.7.1", "5.7.1.2"],
    },
    full_scale=24000,
    new_frame_at_each_station=True,
)
IMAGE_TYPE = ("ORIGINAL", "PRIMARY", "M_SE", "M", "SE")
ADC_TYPE = ("ORIGINAL", "PRIMARY", "ADC_UNSPECIFIED", "ADC", "UNSPECIFIED")
DD001, MR001, MR005 = (
    "Philips Imaging DD 001",
    "Philips MR Imaging DD 001",
    "Philips MR Imaging DD 005",
)
_B0_REPEATS = ((0.0, 1.0), (0.001, 1.02), (0.002, 0.98))
"""Repeated b 0 images: b-value as Philips counts them, and signal relative to their mean."""


@dataclass(frozen=True, eq=False)
class Acquired:
    """One volume of a station as Philips stores it."""

    b: float
    b_number: int
    """From 1, one for each b-value, repeated b 0 images too."""
    direction: str
    """I, M, P or S."""
    gradient: tuple[float, float, float]
    image: NDArray[np.float32]

    @property
    def gradient_number(self) -> int:
        """From 1; the trace image comes after its directions."""
        return 1 + "MPSI".index(self.direction)


def series(scan: Scan, distractors: bool) -> Iterator[ObjectSeries]:
    """Write one series a station; the ADC map lies inside odd ones and beside even ones."""
    for position, station in numbered(scan.stations):
        name = f"DWIBS st{position}"
        sequence = Sequence(100 * position + 1, name, IMAGE_TYPE, scanning="SE")
        maps = distractors and len(station.volume.b_values) > 1
        inside = maps and position % 2 == 1
        volumes = list(_volumes(scan, position, station, sequence))
        if inside:
            volumes.append(_adc(scan, position, station, sequence))
        objects = _scrambled(scan, volumes, sequence, private=distractors)
        yield ObjectSeries(sequence.number, name, objects)
        if maps and not inside:
            own = Sequence(100 * position + 2, f"dDWIBS st{position}", ADC_TYPE, scanning="SE")
            volume = _adc(scan, position, station, own)
            yield ObjectSeries(own.number, own.description, slices_of(volume))
        if distractors:
            states = Sequence(100 * position + 3, "DEFAULT PS SERIES", ())
            yield ObjectSeries(
                states.number, states.description, [presentation_state(scan, states)]
            )


def acquired(station: Station, repeats: tuple[tuple[float, float], ...]) -> Iterator[Acquired]:
    """Yield b 0 (repeated), then M, P, S and their geometric mean I at each higher b-value."""
    zero, number = (0.0, 0.0, 0.0), 0
    for b, image in station.volume.images.items():
        if b <= WEIGHTED_FROM:
            for near_zero, factor in repeats:
                number += 1
                yield Acquired(b + near_zero, number, "I", zero, image * np.float32(factor))
            continue
        number += 1
        for one in DIRECTIONS:
            yield Acquired(b, number, one.name, one.gradient, image * np.float32(one.factor))
        yield Acquired(b, number, "I", zero, image)


def slope(position: int) -> float:
    """Return the Rescale Slope of a station's series: stored integer times slope is signal."""
    return 1.08205128205128 + 0.17 * (position - 1)


def scale_slope(position: int) -> float:
    """Return (2005,xx0E): signal / (slope * scale slope) is Philips' floating point value."""
    return 0.00329863699 / position


def _volumes(scan: Scan, position: int, station: Station, sequence: Sequence) -> Iterator[MRVolume]:
    place = scan.placed(station.volume.geometry, position)
    for one in acquired(station, _B0_REPEATS):
        header = scan.header(sequence)
        header.DiffusionBValue = one.b
        header.DiffusionGradientOrientation = list(one.gradient)
        header.TemporalPositionIdentifier = 1
        header.NumberOfTemporalPositions = 1
        _set_private(header, one, position)
        yield _volume(scan, header, place, one.image, slope(position))


def _volume(
    scan: Scan, header: Dataset, place: Geometry, image: NDArray[np.float32], factor: float
) -> MRVolume:
    header.RescaleType = "normalized"
    return MRVolume(header, place, scan.stored(image, scan.unit * factor), (factor, 0.0))


def _adc(scan: Scan, position: int, station: Station, sequence: Sequence) -> MRVolume:
    header = scan.header(sequence)
    header.ImageType = list(ADC_TYPE)
    header.RescaleType = "normalized"
    place = scan.placed(station.volume.geometry, position)
    return MRVolume(header, place, scan.stored(vendor_adc(station), 1.0), (1.0, 0.0))


def _set_private(header: Dataset, one: Acquired, position: int) -> None:
    imaging = header.private_block(0x2001, DD001, create=True)
    imaging.add_new(0x03, "FL", one.b)
    imaging.add_new(0x04, "CS", one.direction)
    imaging.add_new(0x0B, "CS", "TRANSVERSAL")
    first = header.private_block(0x2005, MR001, create=True)
    first.add_new(0x0D, "FL", 0.0)
    first.add_new(0x0E, "FL", scale_slope(position))
    for element, value in zip((0xB0, 0xB1, 0xB2), one.gradient, strict=True):
        first.add_new(element, "FL", value)
    fifth = header.private_block(0x2005, MR005, create=True)
    fifth.add_new(0x0F, "SQ", Items([nested_copy()]))
    fifth.add_new(0x12, "IS", one.b_number)
    fifth.add_new(0x13, "IS", one.gradient_number)


def nested_copy() -> Dataset:
    """Return the item of (2005,xx0F): standard attributes again, some of them empty."""
    return header_of(
        {
            "EffectiveEchoTime": 0.0,
            "DiffusionBValue": None,
            "DiffusionGradientOrientation": None,
            "DiffusionDirectionality": "",
            "ImagePositionPatient": None,
            "RescaleSlope": None,
        }
    )


def _scrambled(
    scan: Scan, volumes: list[MRVolume], sequence: Sequence, *, private: bool
) -> Iterator[Dataset]:
    total = sum(len(volume.pixels) for volume in volumes)
    numbers = 1 + np.random.default_rng(sequence.number).permutation(total)
    first = 0
    for volume in volumes:
        n = len(volume.pixels)
        yield from slices_of(volume, first, [int(k) for k in numbers[first : first + n]])
        first += n
    if private:
        yield private_object(scan, sequence)
