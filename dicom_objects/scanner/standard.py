"""The plain flavour: one series per station and b-value, the b-value where the standard has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicom_objects.scanner.derived import WEIGHTED_FROM, vendor_adc
from dicom_objects.scanner.headers import Sequence
from dicom_objects.scanner.mr_image import slices_of
from dicom_objects.scanner.object_series import ObjectSeries
from dicom_objects.scanner.scan import Habit, Scan, numbered

if TYPE_CHECKING:
    from collections.abc import Iterator

HABIT = Habit(rescale=True)


def series(scan: Scan, distractors: bool) -> Iterator[ObjectSeries]:
    """Trace images as most whole-body protocols send them, and the vendor's ADC maps."""
    yield from _diffusion(scan)
    if distractors:
        yield from _adc(scan)


def _diffusion(scan: Scan) -> Iterator[ObjectSeries]:
    for position, station in numbered(scan.stations):
        for k, (b, image) in enumerate(station.volume.images.items(), start=1):
            name = f"DWI_st{position}_b{b:g}"
            kind = ("ORIGINAL", "PRIMARY", "DIFFUSION", "TRACEW")
            sequence = Sequence(100 * position + k, name, kind)
            header = scan.header(sequence)
            header.DiffusionBValue = float(b)
            header.DiffusionDirectionality = "NONE" if b <= WEIGHTED_FROM else "ISOTROPIC"
            volume = scan.volume(header, scan.placed(station.volume.geometry), image)
            yield ObjectSeries(sequence.number, name, slices_of(volume))


def _adc(scan: Scan) -> Iterator[ObjectSeries]:
    for position, station in numbered(scan.stations):
        if len(station.volume.b_values) < 2:
            continue
        name = f"DWI_st{position}_ADC"
        kind = ("DERIVED", "PRIMARY", "DIFFUSION", "ADC")
        sequence = Sequence(100 * position + 50, name, kind)
        # Vendors store the map as integers of 1e-6 mm²/s with slope 1.
        place = scan.placed(station.volume.geometry)
        volume = scan.volume(scan.header(sequence), place, vendor_adc(station), unit=1.0)
        yield ObjectSeries(sequence.number, name, slices_of(volume))
