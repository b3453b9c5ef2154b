"""DICOM SR: a TID 1500 Imaging Measurement Report in Comprehensive 3D SR (PS3.3 A.35.13).

Groups: the whole body and every region without a region of interest (TID 1501), every lesion
with its segment (TID 1411): those of the burden first, then the list of focal lesions. A lesion
that crosses stations refers to the segment that holds most of it; its numbers are those of the
whole lesion. The tracking UIDs are those of the SEGs, so regions and lesions are found there by
UID.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from highdicom import ContentQualificationValues
from highdicom.coding_schemes import CodingSchemeIdentificationItem
from highdicom.sr import (
    AlgorithmIdentification,
    Comprehensive3DSR,
    DeviceObserverIdentifyingAttributes,
    FindingSite,
    MeasurementReport,
    MeasurementsAndQualitativeEvaluations,
    ObservationContext,
    ObserverContext,
    RelationshipTypeValues,
    TextContentItem,
    VolumetricROIMeasurementsAndQualitativeEvaluations,
)
from pydicom.sr.codedict import codes as dicom_codes

from dicom_objects.uids import derived_uid
from dicom_objects.writing import codes
from dicom_objects.writing.equipment import add_models
from dicom_objects.writing.image_library import library_headers, refer_library
from dicom_objects.writing.lesion_groups import focal_groups, lesion_group, site, tracking
from dicom_objects.writing.measured_values import region_values, total_values
from dicom_objects.writing.stamp import (
    DESCRIPTION_PREFIX,
    MANUFACTURER,
    MODEL_NAME,
    RESEARCH_NOTICE,
    Stamp,
    settle,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydicom import Dataset

    from dicom_objects.writing.lesion_groups import SegmentReference
    from dicom_objects.writing.slices import SourceSlice
    from imaging.focal_lesions import FocalLesions
    from imaging.measurement import Measurement, RegionMeasurement
    from imaging.provenance import Provenance
    from imaging.quality import QualityNote

TOTAL_NAME = "whole_skeleton"
_Group = MeasurementsAndQualitativeEvaluations | VolumetricROIMeasurementsAndQualitativeEvaluations


@dataclass(frozen=True, eq=False)
class ReportContent:
    """What a report says and refers to."""

    measurement: Measurement
    segments: Mapping[str, SegmentReference]
    """By lesion name, of both definitions."""
    b_values: tuple[float, ...]
    quality: tuple[QualityNote, ...]
    evidence: Sequence[Dataset] = field(repr=False)
    """A full header of an image first, then everything that is referred to; repeats count once."""
    library: Sequence[SourceSlice] = field(repr=False)
    """The few images that the image library lists."""
    focal: FocalLesions | None = None
    changes: tuple[str, ...] = ()
    """Changes of the totals against earlier studies, a sentence each."""


def encode_report(
    content: ReportContent, provenance: Provenance, uid_seed: str, series_number: int
) -> Comprehensive3DSR:
    """Build the report; dates, times and UIDs depend on the arguments only."""
    stamp = Stamp.of(provenance)
    report = MeasurementReport(
        observation_context=_observer(provenance, stamp),
        procedure_reported=codes.WHOLE_BODY_MR,
        imaging_measurements=_groups(content, provenance, uid_seed),
        title=dicom_codes.DCM.ImagingMeasurementReport,
        referenced_images=library_headers(content.library),
    )
    refer_library(report, content.library)
    sr = Comprehensive3DSR(
        evidence=content.evidence,
        content=report,
        series_instance_uid=derived_uid(uid_seed, "sr series"),
        series_number=series_number,
        sop_instance_uid=derived_uid(uid_seed, "sr"),
        instance_number=1,
        manufacturer=MANUFACTURER,
        is_complete=True,
        is_final=False,
        is_verified=False,
        manufacturer_model_name=MODEL_NAME,
        software_versions=provenance.software_version,
        device_serial_number=stamp.serial_number,
        series_description=f"{DESCRIPTION_PREFIX} SR",
        content_qualification=ContentQualificationValues.RESEARCH,
        coding_schemes=[_private_scheme()],
    )
    add_models(sr, provenance)
    settle(sr, stamp)
    return sr


def _groups(content: ReportContent, provenance: Provenance, seed: str) -> list[_Group]:
    algorithm = _algorithm(content, provenance)
    groups: list[_Group] = [_total(content, algorithm, provenance.burden.in_words(), seed)]
    groups += [
        _region(region, algorithm, seed)
        for region in content.measurement.regions
        if region.coverage is not None and region.name in codes.STRUCTURE_CODES
    ]
    groups += [
        lesion_group(lesion, content.segments[lesion.name], algorithm, seed)
        for lesion in content.measurement.lesions
        if lesion.name in content.segments
    ]
    if content.focal:
        groups += focal_groups(content.focal, content.segments, provenance, seed)
    return groups


def _total(
    content: ReportContent, algorithm: AlgorithmIdentification, method: str, seed: str
) -> MeasurementsAndQualitativeEvaluations:
    group = MeasurementsAndQualitativeEvaluations(
        tracking_identifier=tracking(TOTAL_NAME, seed),
        finding_type=codes.LESION,
        method=codes.MONO_EXPONENTIAL,
        algorithm_id=algorithm,
        finding_sites=[FindingSite(codes.SKELETON)],
        measurements=total_values(content.measurement),
        finding_category=codes.MORPHOLOGICALLY_ABNORMAL,
    )
    # TID 1501 allows texts beside coded evaluations; highdicom has no argument for them.
    notes = [(codes.RESEARCH_NOTICE, RESEARCH_NOTICE)]
    notes.append((codes.BURDEN_METHOD, method))
    notes += [(codes.FOCAL_METHOD, content.focal.in_words())] if content.focal else []
    notes += [(codes.CHANGE, text) for text in content.changes]
    notes += [(codes.QUALITY_NOTE, f"{n.code}: {n.text}") for n in content.quality]
    for name, text in notes:
        item = TextContentItem(name, text, RelationshipTypeValues.CONTAINS)
        group[0].ContentSequence.append(item)
    return group


def _region(
    region: RegionMeasurement, algorithm: AlgorithmIdentification, seed: str
) -> MeasurementsAndQualitativeEvaluations:
    return MeasurementsAndQualitativeEvaluations(
        tracking_identifier=tracking(region.name, seed),
        finding_type=codes.LESION,
        method=codes.MONO_EXPONENTIAL,
        algorithm_id=algorithm,
        finding_sites=[site(region.name)],
        measurements=region_values(region),
        finding_category=codes.MORPHOLOGICALLY_ABNORMAL,
    )


def _algorithm(content: ReportContent, provenance: Provenance) -> AlgorithmIdentification:
    b_values = ", ".join(f"{b:g}" for b in content.b_values)
    low, high = content.measurement.thresholds_um2_s
    models = [f"model {m.name} {m.version}, sha256 {m.sha256}" for m in provenance.models]
    return AlgorithmIdentification(
        name="Osteon whole-body diffusion",
        version=provenance.software_version,
        parameters=[
            *models,
            provenance.burden.in_words(),
            f"b-values {b_values} s/mm2, mono-exponential log-linear fit",
            f"ADC classes at {low:g} and {high:g} um2/s",
            f"settings digest {provenance.settings_digest}",
            f"run {provenance.run_id}",
        ],
    )


def _observer(provenance: Provenance, stamp: Stamp) -> ObservationContext:
    device = DeviceObserverIdentifyingAttributes(
        uid=provenance.device_uid,
        name="Osteon",
        manufacturer_name=MANUFACTURER,
        model_name=MODEL_NAME,
        serial_number=stamp.serial_number,
    )
    return ObservationContext(
        observer_device_context=ObserverContext(
            observer_type=dicom_codes.DCM.Device, observer_identifying_attributes=device
        )
    )


def _private_scheme() -> CodingSchemeIdentificationItem:
    return CodingSchemeIdentificationItem(
        designator=codes.PRIVATE_SCHEME,
        name=codes.PRIVATE_SCHEME_NAME,
        responsible_organization="Osteon project",
    )
