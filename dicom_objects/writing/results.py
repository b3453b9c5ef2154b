"""All DICOM results of one run: a SEG per station and one report that refers to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydicom import config, dcmwrite

from dicom_objects.errors import DicomObjectError
from dicom_objects.writing.segmentation import SegmentationPlan, encode_segmentation
from dicom_objects.writing.segments import segments_of
from dicom_objects.writing.source_images import read_patient_name, read_references, read_sources
from dicom_objects.writing.structured_report import ReportContent, SegmentReference, encode_report
from imaging.stations import cut_station

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray
    from pydicom import Dataset

    from dicom_objects.reading.records import DiffusionStudy, StationSource
    from dicom_objects.writing.segments import Segment
    from imaging.measurement import Measurement
    from imaging.provenance import Provenance
    from imaging.quality import QualityNote
    from imaging.stations import Assembly, Placement

FIRST_SERIES_NUMBER = 9001


@dataclass(frozen=True)
class EncodedObject:
    """One written object: `kind` is "seg" or "sr"."""

    kind: str
    sop_class_uid: str
    sop_instance_uid: str
    series_uid: str
    path: Path


@dataclass(frozen=True, eq=False)
class ResultContent:
    """Everything that the results say; arrays are (slice, row, column) on the whole-body grid."""

    study: DiffusionStudy
    assembly: Assembly
    labels: NDArray[np.uint8] = field(repr=False)
    lesion_labels: NDArray[np.uint16] = field(repr=False)
    measurement: Measurement
    provenance: Provenance
    uid_seed: str
    """Study revision, models and settings: the same seed must mean the same content."""
    quality: tuple[QualityNote, ...] = ()


@dataclass(frozen=True, eq=False)
class _EncodedStation:
    """A station's SEG with what the report needs of it."""

    seg: Dataset | None
    segments: tuple[Segment, ...]
    sources: list[Dataset] = field(repr=False)


def encode_results(content: ResultContent, folder: Path) -> tuple[EncodedObject, ...]:
    """Write one SEG per station that has any segment, then the report, into `folder`.

    The same content and seed give the same bytes; times come from the provenance.

    Raises:
        SourceMismatch: the assembly does not fit the source series.
        DicomObjectError: a station's source files are unknown.

    """
    folder.mkdir(parents=True, exist_ok=True)
    placements = {p.station: p for p in content.assembly.placements}
    # Sources are copied as they are, with the values that their scanner gave them.
    with config.disable_value_validation():
        stations = [
            _encode_station(content, source, placements, FIRST_SERIES_NUMBER + k)
            for k, source in enumerate(content.study.sources)
        ]
        number = FIRST_SERIES_NUMBER + len(stations)
        report = _encode_report(content, stations, number)
        built = [
            ("seg", s.seg, folder / f"seg_{k}.dcm")
            for k, s in enumerate(stations, start=1)
            if s.seg is not None
        ]
        built.append(("sr", report, folder / "sr.dcm"))
        name = read_patient_name(_first_file(content.study))
        for _, dataset, _ in built:
            dataset.PatientName = name
        return tuple(_write(*one) for one in built)


def _first_file(study: DiffusionStudy) -> Path:
    return next(iter(study.sources[0].images_by_b.values()))[0].path


def _encode_station(
    content: ResultContent,
    source: StationSource,
    placements: dict[str, Placement],
    series_number: int,
) -> _EncodedStation:
    if source.station not in placements:
        message = f"{source.station} has source files but no place in the assembly"
        raise DicomObjectError(message)
    placement = placements[source.station]
    segments = segments_of(
        cut_station(content.labels, placement),
        cut_station(content.lesion_labels, placement),
        content.measurement.lesions,
    )
    high_b = source.images_by_b[max(source.images_by_b)]
    sources = read_sources([image.path for image in high_b])
    if not segments:
        return _EncodedStation(None, (), sources)
    plan = SegmentationPlan(source.station, series_number, content.uid_seed)
    seg = encode_segmentation(plan, sources, segments, content.provenance)
    return _EncodedStation(seg, segments, sources)


def _encode_report(content: ResultContent, stations: list[_EncodedStation], number: int) -> Dataset:
    images = [image for station in stations for image in station.sources]
    lower_b = [
        image.path
        for source in content.study.sources
        for b, found in source.images_by_b.items()
        if b < max(source.images_by_b)
        for image in found
    ]
    segs = [station.seg for station in stations if station.seg is not None]
    report = ReportContent(
        measurement=content.measurement,
        segments=_references(stations),
        b_values=content.assembly.volume.b_values,
        quality=content.quality,
        evidence=[*images, *read_references(lower_b), *segs],
        library=[image for s in stations for image in (s.sources[0], s.sources[-1])],
    )
    return encode_report(report, content.provenance, content.uid_seed, number)


def _references(stations: list[_EncodedStation]) -> dict[str, SegmentReference]:
    """Lesion name → the segment that holds most of its voxels."""
    found: dict[str, tuple[int, SegmentReference]] = {}
    for station in stations:
        if station.seg is None:
            continue
        for number, segment in enumerate(station.segments, start=1):
            size = int(segment.mask.sum())
            if segment.is_lesion and size > found.get(segment.name, (0, None))[0]:
                reference = SegmentReference(
                    str(station.seg.SOPClassUID),
                    str(station.seg.SOPInstanceUID),
                    number,
                    str(station.sources[0].SeriesInstanceUID),
                )
                found[segment.name] = (size, reference)
    return {name: reference for name, (_, reference) in found.items()}


def _write(kind: str, dataset: Dataset, path: Path) -> EncodedObject:
    dcmwrite(path, dataset, enforce_file_format=True)
    return EncodedObject(
        kind,
        str(dataset.SOPClassUID),
        str(dataset.SOPInstanceUID),
        str(dataset.SeriesInstanceUID),
        path,
    )
