"""Philips enhanced: one Enhanced MR object a station with everything in it.

Structure as reported of real objects (dicom.md A1): for each slice b 0, the directions M, P and
S, the ISOTROPIC image derived from them, and the ADC map, told apart by frame type and diffusion
groups and counted by Dimension Index Values; every frame has a private copy of standard
attributes with other or empty values, which is not to be read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydicom import Dataset
from pydicom.sequence import Sequence as Items

from dicom_objects.scanner.derived import WEIGHTED_FROM, vendor_adc
from dicom_objects.scanner.enhanced_modules import without_classic
from dicom_objects.scanner.enhanced_mr import EnhancedImage, FrameSet, enhanced_object
from dicom_objects.scanner.headers import Sequence
from dicom_objects.scanner.object_series import ObjectSeries
from dicom_objects.scanner.philips import HABIT as CLASSIC
from dicom_objects.scanner.philips import IMAGE_TYPE, MR005, Acquired, acquired, nested_copy, slope
from dicom_objects.scanner.scan import Habit, Scan, numbered
from dicom_objects.uids import derived_uid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imaging.diffusion import Station

HABIT = Habit("philips-enhanced", CLASSIC.equipment, CLASSIC.full_scale)
_MIXED = ("MIXED", "PRIMARY", "DIFFUSION", "MIXED")
_ACQUIRED = ("ORIGINAL", "PRIMARY", "DIFFUSION", "NONE")
_ISOTROPIC = ("DERIVED", "PRIMARY", "DIFFUSION", "NONE")
_ADC = ("DERIVED", "PRIMARY", "DIFFUSION", "ADC")
_DIMENSIONS = (
    ("DiffusionBValue", "MRDiffusionSequence"),
    ("DiffusionGradientOrientation", "MRDiffusionSequence"),
)


def series(scan: Scan, distractors: bool) -> Iterator[ObjectSeries]:
    """Write one series with one object a station; the ADC frames are distractors."""
    for position, station in numbered(scan.stations):
        sequence = Sequence(100 * position + 1, f"DWIBS st{position}", _MIXED)
        volumes = list(_volumes(scan, position, station))
        if distractors and len(station.volume.b_values) > 1:
            volumes.append(_adc(scan, station))
        header = without_classic(scan.header(sequence))
        header.InstanceNumber = 1
        header.SOPInstanceUID = derived_uid(str(header.SeriesInstanceUID), "1")
        place = scan.placed(station.volume.geometry, position)
        image = EnhancedImage(header, place, _MIXED, volumes, _DIMENSIONS, slice_by_slice=True)
        yield ObjectSeries(sequence.number, sequence.description, [enhanced_object(image)])


def _volumes(scan: Scan, position: int, station: Station) -> Iterator[FrameSet]:
    factor = slope(position)
    for one in acquired(station, repeats=((0.0, 1.0),)):
        directionality, frame_type = _kind(one)
        directional = directionality == "DIRECTIONAL"
        yield FrameSet(
            scan.stored(one.image, scan.unit * factor),
            frame_type,
            (factor, 0.0),
            directionality,
            one.b,
            one.gradient if directional else None,
            (one.b_number, one.gradient_number),
            _private(),
        )


def _kind(one: Acquired) -> tuple[str, tuple[str, ...]]:
    if one.b <= WEIGHTED_FROM:
        return "NONE", _ACQUIRED
    return ("ISOTROPIC", _ISOTROPIC) if one.direction == "I" else ("DIRECTIONAL", _ACQUIRED)


def _adc(scan: Scan, station: Station) -> FrameSet:
    index = (len(station.volume.b_values) + 1, 1)
    pixels = scan.stored(vendor_adc(station), 1.0)
    return FrameSet(pixels, _ADC, (1.0, 0.0), "ISOTROPIC", b=None, index=index, private=_private())


def _private() -> Dataset:
    group = Dataset()
    copy = nested_copy()
    copy.ImageType = list(IMAGE_TYPE)
    group.private_block(0x2005, MR005, create=True).add_new(0x0F, "SQ", Items([copy]))
    return group
