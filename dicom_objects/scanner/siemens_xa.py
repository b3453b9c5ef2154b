"""Siemens XA: Enhanced MR, one object for each b-value, several objects in one series.

Structure as in real objects of XA30 and XA61 (dicom.md A1): the b-value in the diffusion sequence
of every frame, frames labelled DERIVED, PRIMARY, DIFFUSION, TRACEW and ISOTROPIC, b 0 too; the
ADC map is a series of its own without a b-value; a report object lies in the same study.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydicom.sequence import Sequence as Items
from pydicom.uid import EnhancedSRStorage

from dicom_objects.scanner.derived import vendor_adc
from dicom_objects.scanner.documents import document_header
from dicom_objects.scanner.enhanced_modules import without_classic
from dicom_objects.scanner.enhanced_mr import EnhancedImage, FrameSet, enhanced_object
from dicom_objects.scanner.headers import Sequence, header_of
from dicom_objects.scanner.object_series import ObjectSeries
from dicom_objects.scanner.scan import Habit, Scan, numbered
from dicom_objects.uids import derived_uid

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray
    from pydicom import Dataset

    from imaging.diffusion import Station

HABIT = Habit(
    name="siemens-xa-enhanced",
    equipment={
        "Manufacturer": "Siemens Healthineers",
        "ManufacturerModelName": "OSTEON PHANTOM (synthetic)",
        "InstitutionName": "OSTEON PHANTOM",
        "SoftwareVersions": "syngo MR XA61",
    },
    full_scale=30000,
)
_TRACE = ("DERIVED", "PRIMARY", "DIFFUSION", "TRACEW")
_ADC = ("DERIVED", "PRIMARY", "DIFFUSION", "ADC")
_DIMENSIONS = (("TemporalPositionIndex", "FrameContentSequence"),)


def series(scan: Scan, distractors: bool) -> Iterator[ObjectSeries]:
    """Write a TRACEW series a station, its ADC map, and one report."""
    for position, station in numbered(scan.stations):
        sequence = Sequence(100 * position + 1, f"ep2d_diff_st{position}_TRACEW", _TRACE)
        objects = _objects(scan, station, sequence)
        yield ObjectSeries(sequence.number, sequence.description, objects)
        if distractors and len(station.volume.b_values) > 1:
            own = Sequence(100 * position + 2, f"ep2d_diff_st{position}_ADC", _ADC)
            pixels = scan.stored(vendor_adc(station), 1.0)
            frames = FrameSet(pixels, _ADC, (1.0, 0.0), "ISOTROPIC", b=None)
            objects = iter([_object(scan, station, own, frames, 1)])
            yield ObjectSeries(own.number, own.description, objects)
    if distractors:
        report = Sequence(9999, "PhoenixZIPReport", ())
        yield ObjectSeries(report.number, report.description, [_report(scan, report)])


def _objects(scan: Scan, station: Station, sequence: Sequence) -> Iterator[Dataset]:
    for k, (b, image) in enumerate(station.volume.images.items(), start=1):
        yield _object(scan, station, sequence, _frames(scan, b, image), k)


def _frames(scan: Scan, b: float, image: NDArray[np.float32]) -> FrameSet:
    return FrameSet(scan.stored(image), _TRACE, (1.0, 0.0), "ISOTROPIC", b)


def _object(
    scan: Scan, station: Station, sequence: Sequence, frames: FrameSet, number: int
) -> Dataset:
    header = without_classic(scan.header(sequence))
    header.InstanceNumber = number
    header.SOPInstanceUID = derived_uid(str(header.SeriesInstanceUID), str(number))
    place = scan.placed(station.volume.geometry)
    return enhanced_object(EnhancedImage(header, place, frames.frame_type, [frames], _DIMENSIONS))


def _report(scan: Scan, sequence: Sequence) -> Dataset:
    """Return an Enhanced SR with a title and nothing in it."""
    header = document_header(scan, sequence, EnhancedSRStorage)
    title = header_of(
        {
            "CodeValue": "113011",
            "CodingSchemeDesignator": "DCM",
            "CodeMeaning": "Document Title Modifier",
        }
    )
    header.update(
        header_of(
            {
                "Modality": "SR",
                "ContentDate": header.StudyDate,
                "ContentTime": header.StudyTime,
                "ValueType": "CONTAINER",
                "ConceptNameCodeSequence": Items([title]),
                "ContinuityOfContent": "SEPARATE",
                "CompletionFlag": "PARTIAL",
                "VerificationFlag": "UNVERIFIED",
                "PerformedProcedureCodeSequence": Items([]),
                "ReferencedPerformedProcedureStepSequence": Items([]),
            }
        )
    )
    return header
