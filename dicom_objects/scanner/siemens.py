"""Siemens before XA: classic images whose b-value stands in a private element only.

Structure as in real headers of syngo MR B17 to E11 (dicom.md A1): no (0018,9087); the b-value in
(0019,xx0C), its kind in (0019,xx0D) and both again in the Sequence Name; no Rescale Slope. A
b-value that the scanner computed has the same tags as an acquired one and differs in Series
Description and Sequence Name only; the ADC map carries a b-value too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicom_objects.scanner.derived import WEIGHTED_FROM, computed_image, vendor_adc
from dicom_objects.scanner.headers import Sequence
from dicom_objects.scanner.mr_image import slices_of
from dicom_objects.scanner.object_series import ObjectSeries
from dicom_objects.scanner.scan import Habit, Scan, numbered

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray
    from pydicom import Dataset

    from imaging.diffusion import Station

HABIT = Habit(
    name="siemens",
    equipment={
        "Manufacturer": "SIEMENS",
        "ManufacturerModelName": "OSTEON PHANTOM (synthetic)",
        "InstitutionName": "OSTEON PHANTOM",
        "InPlanePhaseEncodingDirection": "COL",
        "SoftwareVersions": "syngo MR E11",
    },
    full_scale=20000,
    new_frame_at_each_station=True,
)
COMPUTED_B = 1400.0
_TRACE = ("DERIVED", "PRIMARY", "DIFFUSION", "TRACEW", "ND")
_ADC = ("DERIVED", "PRIMARY", "DIFFUSION", "ADC", "ND")


def series(scan: Scan, distractors: bool) -> Iterator[ObjectSeries]:
    """Write odd stations as one TRACEW series, even ones as a series per b-value: both occur."""
    for position, station in numbered(scan.stations):
        yield from _traces(scan, position, station)
        if distractors and len(station.volume.b_values) > 1:
            yield _computed(scan, position, station)
            yield _adc(scan, position, station)


def _traces(scan: Scan, position: int, station: Station) -> Iterator[ObjectSeries]:
    images = list(station.volume.images.items())
    groups = [images] if position % 2 else [[image] for image in images]
    for k, group in enumerate(groups, start=1):
        name = f"ep2d_diff_st{position}_TRACEW"
        sequence = Sequence(100 * position + k, name, _TRACE)
        objects = _objects(scan, position, station, sequence, group)
        yield ObjectSeries(sequence.number, name, objects)


def _objects(
    scan: Scan,
    position: int,
    station: Station,
    sequence: Sequence,
    images: list[tuple[float, NDArray[np.float32]]],
) -> Iterator[Dataset]:
    place = scan.placed(station.volume.geometry, position)
    for k, (b, image) in enumerate(images):
        header = scan.header(sequence)
        weighted = b > WEIGHTED_FROM
        header.SequenceName = f"*ep_b{b:.0f}t" if weighted else f"*ep_b{b:.0f}"
        _set_private(header, b, "ISOTROPIC" if weighted else "NONE")
        yield from slices_of(scan.volume(header, place, image), first=k * place.shape[0])


def _computed(scan: Scan, position: int, station: Station) -> ObjectSeries:
    sequence = Sequence(100 * position + 60, f"ep2d_diff_st{position}_CALC_BVAL", _TRACE)
    header = scan.header(sequence)
    header.SequenceName = f"*ep_b{station.volume.b_values[0]:.0f}_{COMPUTED_B:.0f}"
    _set_private(header, COMPUTED_B, "ISOTROPIC")
    place = scan.placed(station.volume.geometry, position)
    volume = scan.volume(header, place, computed_image(station, COMPUTED_B))
    return ObjectSeries(sequence.number, sequence.description, slices_of(volume))


def _adc(scan: Scan, position: int, station: Station) -> ObjectSeries:
    sequence = Sequence(100 * position + 50, f"ep2d_diff_st{position}_ADC", _ADC)
    header = scan.header(sequence)
    low, high = station.volume.b_values[0], station.volume.b_values[-1]
    header.SequenceName = f"*ep_b{low:.0f}_{high:.0f}"
    _set_private(header, high, "ISOTROPIC")
    place = scan.placed(station.volume.geometry, position)
    volume = scan.volume(header, place, vendor_adc(station), unit=1.0)
    return ObjectSeries(sequence.number, sequence.description, slices_of(volume))


def _set_private(header: Dataset, b: float, directionality: str) -> None:
    block = header.private_block(0x0019, "SIEMENS MR HEADER", create=True)
    block.add_new(0x08, "CS", "IMAGE NUM 4")
    block.add_new(0x09, "LO", "1.0")
    block.add_new(0x0C, "IS", round(b))
    block.add_new(0x0D, "CS", directionality)
