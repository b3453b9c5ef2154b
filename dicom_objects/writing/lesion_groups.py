"""Groups of the report that hold one lesion each, of the burden or of the focal list (TID 1411)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from highdicom.sr import (
    AlgorithmIdentification,
    FindingSite,
    ReferencedSegment,
    SourceSeriesForSegmentation,
    TrackingIdentifier,
    VolumetricROIMeasurementsAndQualitativeEvaluations,
)

from dicom_objects.writing import codes
from dicom_objects.writing.measured_values import lesion_values
from dicom_objects.writing.segmentation import tracking_uid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from imaging.focal_lesions import FocalLesions
    from imaging.measurement import LesionMeasurement
    from imaging.provenance import Provenance


@dataclass(frozen=True)
class SegmentReference:
    """Where a lesion is drawn: the SEG, the segment's number and the series it is drawn on."""

    sop_class_uid: str
    sop_instance_uid: str
    number: int
    source_series_uid: str


def lesion_group(
    lesion: LesionMeasurement,
    segment: SegmentReference,
    algorithm: AlgorithmIdentification,
    seed: str,
) -> VolumetricROIMeasurementsAndQualitativeEvaluations:
    """Return the group of a lesion, whoever found it: TID 1411 with its segment."""
    return VolumetricROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=tracking(lesion.name, seed, lesion.tracking_uid),
        referenced_segment=ReferencedSegment(
            segment.sop_class_uid,
            segment.sop_instance_uid,
            segment.number,
            source_series=SourceSeriesForSegmentation(segment.source_series_uid),
        ),
        finding_type=codes.LESION,
        method=codes.MONO_EXPONENTIAL,
        algorithm_id=algorithm,
        finding_sites=[site(lesion.region)],
        measurements=lesion_values(lesion),
        finding_category=codes.MORPHOLOGICALLY_ABNORMAL,
    )


def tracking(name: str, seed: str, known_uid: str = "") -> TrackingIdentifier:
    """Return the identifier that a lesion or region has in every object of the results.

    `known_uid` is that of a lesion that is followed through studies.
    """
    return TrackingIdentifier(uid=known_uid or tracking_uid(seed, name), identifier=name)


def site(structure: str) -> FindingSite:
    """Return the place of a structure, with its side."""
    code = codes.code_of(structure)
    return FindingSite(code.kind, laterality=code.laterality)


def focal_groups(
    focal: FocalLesions,
    segments: Mapping[str, SegmentReference],
    provenance: Provenance,
    seed: str,
) -> list[VolumetricROIMeasurementsAndQualitativeEvaluations]:
    """Return a group for each focal lesion; its algorithm says that it is no part of the burden."""
    model = focal.model
    algorithm = AlgorithmIdentification(
        name="Osteon focal lesions",
        version=model.version,
        parameters=[
            f"model {model.name} {model.version}, sha256 {model.sha256}",
            focal.in_words(),
            f"settings digest {provenance.settings_digest}",
            f"run {provenance.run_id}",
        ],
    )
    return [
        lesion_group(lesion, segments[lesion.name], algorithm, seed)
        for lesion in focal.lesions
        if lesion.name in segments
    ]
