"""All DICOM results of one run: SEG and ADC map per station, and one report that refers to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydicom import config, dcmwrite

from dicom_objects.errors import DicomObjectError
from dicom_objects.writing.adc_map import StationAdc, encode_adc_map
from dicom_objects.writing.image_library import library_slices
from dicom_objects.writing.lesion_groups import SegmentReference
from dicom_objects.writing.plan import ObjectPlan
from dicom_objects.writing.references import evidence_of, full_evidence_of
from dicom_objects.writing.segmentation import encode_segmentation
from dicom_objects.writing.segments import focal_segments_of, segments_of
from dicom_objects.writing.slices import read_slices
from dicom_objects.writing.source_images import read_patient_name, read_references
from dicom_objects.writing.structured_report import ReportContent, encode_report
from imaging.stations import cut_station

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray
    from pydicom import Dataset

    from dicom_objects.reading.records import DiffusionStudy
    from dicom_objects.writing.segments import Segment
    from dicom_objects.writing.slices import SourceSlice
    from dicom_objects.writing.source_images import ImageReference
    from imaging.adc import AdcFit
    from imaging.focal_lesions import FocalLesions
    from imaging.measurement import Measurement
    from imaging.provenance import Provenance
    from imaging.quality import QualityNote
    from imaging.stations import Assembly, Placement

FIRST_SERIES_NUMBER = 9001
FIRST_ADC_SERIES_NUMBER = 9101
FIRST_FOCAL_SERIES_NUMBER = 9201


@dataclass(frozen=True)
class EncodedObject:
    """One written object: `kind` is "seg", "focal_seg", "adc" or "sr"."""

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
    fit: AdcFit
    labels: NDArray[np.uint8] = field(repr=False)
    lesion_labels: NDArray[np.uint16] = field(repr=False)
    measurement: Measurement
    provenance: Provenance
    uid_seed: str
    """Study revision, models and settings: the same seed must mean the same content."""
    quality: tuple[QualityNote, ...] = ()
    adc_map: bool = True
    """Whether ADC maps are written: not every PACS takes parametric maps."""
    focal: FocalLesions | None = None
    """Focal lesions get SEGs of their own: a second definition, never mixed with the burden."""
    changes: tuple[str, ...] = ()
    """Changes of the totals against earlier studies, a sentence each."""


@dataclass(frozen=True, eq=False)
class _EncodedStation:
    """A station's objects with what the report needs of it."""

    seg: Dataset | None
    adc: Dataset | None
    focal: Dataset | None
    segments: tuple[Segment, ...]
    focal_segments: tuple[Segment, ...]
    slices: tuple[SourceSlice, ...] = field(repr=False)
    """Those of the highest b-value."""
    images_by_b: dict[float, tuple[ImageReference, ...]] = field(repr=False)
    vendor_adc: tuple[ImageReference, ...] = field(repr=False)


def encode_results(content: ResultContent, folder: Path) -> tuple[EncodedObject, ...]:
    """Write SEGs of the stations that have any segment, ADC maps and the report into `folder`.

    The same content and seed give the same bytes; times come from the provenance.

    Raises:
        SourceMismatch: the assembly does not fit the source series.
        DicomObjectError: a station's source files are unknown.

    """
    folder.mkdir(parents=True, exist_ok=True)
    # Sources are copied as they are, with the values that their scanner gave them.
    with config.disable_value_validation():
        stations = [_encode_station(content, k) for k in range(len(content.study.sources))]
        report = _encode_report(content, stations)
        built = [
            *_named("seg", [station.seg for station in stations], folder),
            *_named("focal_seg", [station.focal for station in stations], folder),
            *_named("adc", [station.adc for station in stations], folder),
            ("sr", report, folder / "sr.dcm"),
        ]
        name = read_patient_name(first_file(content.study))
        for _, dataset, _ in built:
            dataset.PatientName = name
        return tuple(write_object(*one) for one in built)


def _named(
    kind: str, datasets: list[Dataset | None], folder: Path
) -> Iterator[tuple[str, Dataset, Path]]:
    for k, dataset in enumerate(datasets, start=1):
        if dataset is not None:
            yield kind, dataset, folder / f"{kind}_{k}.dcm"


def first_file(study: DiffusionStudy) -> Path:
    """Return the file that patient and study are copied from."""
    return next(iter(study.sources[0].images_by_b.values()))[0].path


def _encode_station(content: ResultContent, k: int) -> _EncodedStation:
    source = content.study.sources[k]
    placement = next((p for p in content.assembly.placements if p.station == source.station), None)
    if placement is None:
        message = f"{source.station} has source files but no place in the assembly"
        raise DicomObjectError(message)
    geometry = next(s.volume.geometry for s in content.study.stations if s.name == source.station)
    high_b = max(source.images_by_b)
    slices = read_slices(source.images_by_b[high_b], geometry)
    images_by_b = {
        b: tuple(one.reference for one in slices) if b == high_b else read_references(images)
        for b, images in source.images_by_b.items()
    }
    vendor_adc = read_references(source.vendor_adc)
    segments = segments_of(
        cut_station(content.labels, placement),
        cut_station(content.lesion_labels, placement),
        content.measurement.lesions,
    )
    seg = adc = None
    if segments:
        plan = ObjectPlan(source.station, FIRST_SERIES_NUMBER + k, content.uid_seed)
        seg = encode_segmentation(plan, slices, segments, content.provenance)
    if content.adc_map:
        plan = ObjectPlan(source.station, FIRST_ADC_SERIES_NUMBER + k, content.uid_seed)
        fitted = {b: r for b, r in images_by_b.items() if b in content.fit.b_values}
        adc_um2_s = cut_station(content.fit.adc_um2_s, placement)
        values = StationAdc(adc_um2_s, fitted or images_by_b, vendor_adc)
        adc = encode_adc_map(plan, slices, values, content.provenance)
    focal_segments, focal = _encode_focal(content, k, placement, slices)
    return _EncodedStation(
        seg, adc, focal, segments, focal_segments, slices, images_by_b, vendor_adc
    )


def _encode_focal(
    content: ResultContent, k: int, placement: Placement, slices: tuple[SourceSlice, ...]
) -> tuple[tuple[Segment, ...], Dataset | None]:
    """Encode the focal lesions of station k: objects and series of their own."""
    if content.focal is None:
        return (), None
    segments = focal_segments_of(cut_station(content.focal.labels, placement), content.focal)
    if not segments:
        return (), None
    number = FIRST_FOCAL_SERIES_NUMBER + k
    plan = ObjectPlan(placement.station, number, content.uid_seed, definition="focal")
    return segments, encode_segmentation(plan, slices, segments, content.provenance)


def _encode_report(content: ResultContent, stations: list[_EncodedStation]) -> Dataset:
    report = ReportContent(
        measurement=content.measurement,
        segments=_references(stations),
        b_values=content.fit.b_values,
        quality=content.quality,
        evidence=list(_evidence(stations)),
        library=[one for station in stations for one in library_slices(station.slices)],
        focal=content.focal,
        changes=content.changes,
    )
    number = FIRST_SERIES_NUMBER + len(stations)
    return encode_report(report, content.provenance, content.uid_seed, number)


def _evidence(stations: list[_EncodedStation]) -> Iterator[Dataset]:
    """Yield a header of the study first, then every image and object; repeats count once."""
    lead = stations[0].slices[0]
    yield full_evidence_of(lead)
    images = [station.images_by_b for station in stations]
    ordered = [by_b[max(by_b)] for by_b in images]
    ordered += [found for by_b in images for b, found in by_b.items() if b < max(by_b)]
    ordered += [station.vendor_adc for station in stations]
    for reference in (reference for found in ordered for reference in found):
        yield evidence_of(reference, str(lead.header.StudyInstanceUID))
    yield from (station.seg for station in stations if station.seg is not None)
    yield from (station.focal for station in stations if station.focal is not None)
    yield from (station.adc for station in stations if station.adc is not None)


def _references(stations: list[_EncodedStation]) -> dict[str, SegmentReference]:
    """Lesion name → the segment that holds most of its voxels."""
    found: dict[str, tuple[int, SegmentReference]] = {}
    drawn = [(s, s.seg, s.segments) for s in stations]
    drawn += [(s, s.focal, s.focal_segments) for s in stations]
    for station, seg, segments in drawn:
        if seg is None:
            continue
        for number, segment in enumerate(segments, start=1):
            size = int(segment.mask.sum())
            if segment.is_lesion and size > found.get(segment.name, (0, None))[0]:
                reference = SegmentReference(
                    str(seg.SOPClassUID),
                    str(seg.SOPInstanceUID),
                    number,
                    station.slices[0].reference.series_uid,
                )
                found[segment.name] = (size, reference)
    return {name: reference for name, (_, reference) in found.items()}


def write_object(kind: str, dataset: Dataset, path: Path) -> EncodedObject:
    """Write one finished object, and say what it is."""
    dcmwrite(path, dataset, enforce_file_format=True)
    return EncodedObject(
        kind,
        str(dataset.SOPClassUID),
        str(dataset.SOPInstanceUID),
        str(dataset.SeriesInstanceUID),
        path,
    )
