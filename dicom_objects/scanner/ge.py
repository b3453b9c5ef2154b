"""GE: classic images, b 0 without a b-value, b-values with 1e9 added in a private element.

Structure as in real headers of MR29 (dicom.md A1): (0018,9087) on weighted images only;
(0043,xx39) on all, its first value biased by 1e9 where b > 0, as on scans with several b-values
(dcm2niix issue 602, the bias in (0043,xx7F)); trace images have a zero vector in
(0019,xxBB..BD) and 19 in (0043,xx30). Only its description tells the ADC map.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dicom_objects.scanner.derived import WEIGHTED_FROM, vendor_adc
from dicom_objects.scanner.headers import Sequence
from dicom_objects.scanner.mr_image import slices_of
from dicom_objects.scanner.object_series import ObjectSeries
from dicom_objects.scanner.scan import Habit, Scan, numbered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom import Dataset

    from imaging.diffusion import Station

HABIT = Habit(
    name="ge",
    equipment={
        "Manufacturer": "GE MEDICAL SYSTEMS",
        "ManufacturerModelName": "OSTEON PHANTOM (synthetic)",
        "InstitutionName": "OSTEON PHANTOM",
        "InPlanePhaseEncodingDirection": "COL",
        "SoftwareVersions": ["28", "LX", "MR29.1_EA_2039.g"],
    },
    full_scale=24000,
    dtype=np.int16,
)
BIAS = 1_000_000_000
_T2, _TRACE = 14, 19
_CLINICAL = 1
"""What (0021,xx5A) says of a series: 16 is DTI, 0 no diffusion, others clinical diffusion."""


def series(scan: Scan, distractors: bool) -> Iterator[ObjectSeries]:
    """Write one series a station with all b-values, and the ADC map as a processed series."""
    for position, station in numbered(scan.stations):
        sequence = Sequence(
            100 * position + 1, f"Ax DWI st{position}", ("ORIGINAL", "PRIMARY", "OTHER")
        )
        objects = _objects(scan, station, sequence)
        yield ObjectSeries(sequence.number, sequence.description, objects)
        if distractors and len(station.volume.b_values) > 1:
            yield _adc(scan, position, station)


def _objects(scan: Scan, station: Station, sequence: Sequence) -> Iterator[Dataset]:
    place = scan.placed(station.volume.geometry)
    for k, (b, image) in enumerate(station.volume.images.items()):
        header = _header(scan, sequence)
        weighted = b > WEIGHTED_FROM
        if weighted:
            header.DiffusionBValue = float(b)
        _set_private(header, BIAS + round(b) if weighted else 0, _TRACE if weighted else _T2)
        yield from slices_of(scan.volume(header, place, image), first=k * place.shape[0])


def _adc(scan: Scan, position: int, station: Station) -> ObjectSeries:
    sequence = Sequence(
        100 * position + 50,
        "Apparent Diffusion Coefficient (mm2/s)",
        ("DERIVED", "SECONDARY", "PROCESSED"),
    )
    header = _header(scan, sequence)
    _set_private(header, round(station.volume.b_values[-1]), None)
    place = scan.placed(station.volume.geometry)
    volume = scan.volume(header, place, vendor_adc(station), unit=1.0)
    return ObjectSeries(sequence.number, sequence.description, slices_of(volume))


def _header(scan: Scan, sequence: Sequence) -> Dataset:
    header = scan.header(sequence)
    header.ScanningSequence = ["EP", "SE"]
    header.SequenceVariant = "NONE"
    header.ScanOptions = ["EPI_GEMS", "PFF", "FS"]
    return header


def _set_private(header: Dataset, b: int, kind: int | None) -> None:
    vector = header.private_block(0x0019, "GEMS_ACQU_01", create=True)
    for element in (0xBB, 0xBC, 0xBD):
        vector.add_new(element, "DS", "0")
    related = header.private_block(0x0021, "GEMS_RELA_01", create=True)
    related.add_new(0x5A, "SL", _CLINICAL)
    parameters = header.private_block(0x0043, "GEMS_PARM_01", create=True)
    if kind is not None:
        parameters.add_new(0x30, "SS", kind)
    parameters.add_new(0x39, "IS", [b, 8, 0, 0])
    if b >= BIAS:
        parameters.add_new(0x7F, "DS", str(BIAS))
