"""Which stored images an object was made from, in each of its frames and as a whole.

An object is built from `SourceSlice` headers; here it comes to name the stored images behind
them: the frame of an enhanced object, or a whole mosaic, of which the object shows one tile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydicom import Dataset

from dicom_objects.writing.slices import copy_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dicom_objects.writing.slices import SourceSlice
    from dicom_objects.writing.source_images import ImageReference

_Frames = dict[tuple[str, str, str], list[int]]


def refer(
    dataset: Dataset, slices: Sequence[SourceSlice], volumes: Sequence[Sequence[ImageReference]]
) -> None:
    """Let a SEG or parametric map that was built from `slices` refer to the stored images.

    Args:
        dataset: changed in place (PS3.3 C.7.6.16.2.6, C.12.2, C.7.6.1).
        slices: what it was built from.
        volumes: what it was derived from, each a reference for each of these slices.

    """
    behind = {
        str(one.header.SOPInstanceUID): [volume[k] for volume in volumes]
        for k, one in enumerate(slices)
    }
    # All segments have a frame of a slice: what stands behind the slice is built once.
    built: dict[str, list[Dataset]] = {}
    for frame in dataset.PerFrameFunctionalGroupsSequence:
        derivation = frame.DerivationImageSequence[0]
        template = derivation.SourceImageSequence[0]
        uid = str(template.ReferencedSOPInstanceUID)
        if uid not in built:
            built[uid] = [_source(template, r) for r in behind[uid]]
        derivation.SourceImageSequence = built[uid]
    refer_as_a_whole(dataset, [r for references in behind.values() for r in references])


def evidence_of(reference: ImageReference, study_uid: str) -> Dataset:
    """Return the identifying attributes of a stored image: what evidence of a report needs."""
    dataset = Dataset()
    dataset.SOPClassUID = reference.sop_class_uid
    dataset.SOPInstanceUID = reference.sop_instance_uid
    dataset.StudyInstanceUID = study_uid
    dataset.SeriesInstanceUID = reference.series_uid
    return dataset


def full_evidence_of(one: SourceSlice) -> Dataset:
    """Return the header of the stored image: highdicom copies patient and study from it."""
    header = copy_of(one.header)
    header.SOPClassUID = one.reference.sop_class_uid
    header.SOPInstanceUID = one.reference.sop_instance_uid
    return header


def _source(template: Dataset, reference: ImageReference) -> Dataset:
    item = copy_of(template)
    item.ReferencedSOPClassUID = reference.sop_class_uid
    item.ReferencedSOPInstanceUID = reference.sop_instance_uid
    if reference.frame_number is not None:
        item.ReferencedFrameNumber = reference.frame_number
    if reference.is_tile:  # the image shows it elsewhere, among the other slices
        item.SpatialLocationsPreserved = "NO"
    return item


def instances_of(references: Iterable[ImageReference]) -> list[Dataset]:
    """Return each stored image once, in order, without its frames."""
    return [_instance(image, uid, []) for _, image, uid in _frames(references)]


def refer_as_a_whole(dataset: Dataset, references: Iterable[ImageReference]) -> None:
    """List each stored image once, and the series that they are in."""
    frames = _frames(references)
    dataset.SourceImageSequence = [
        _instance(sop_class_uid, sop_instance_uid, sorted(set(numbers)))
        for (_, sop_class_uid, sop_instance_uid), numbers in frames.items()
    ]
    series: dict[str, list[Dataset]] = {}
    for series_uid, sop_class_uid, sop_instance_uid in frames:
        instance = _instance(sop_class_uid, sop_instance_uid, [])
        series.setdefault(series_uid, []).append(instance)
    dataset.ReferencedSeriesSequence = [_series(*one) for one in series.items()]


def _frames(references: Iterable[ImageReference]) -> _Frames:
    frames: _Frames = {}
    for r in references:
        listed = frames.setdefault((r.series_uid, r.sop_class_uid, r.sop_instance_uid), [])
        if r.frame_number is not None:
            listed.append(r.frame_number)
    return frames


def _instance(sop_class_uid: str, sop_instance_uid: str, frame_numbers: list[int]) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = sop_class_uid
    item.ReferencedSOPInstanceUID = sop_instance_uid
    if frame_numbers:
        item.ReferencedFrameNumber = frame_numbers
    return item


def _series(series_uid: str, instances: list[Dataset]) -> Dataset:
    item = Dataset()
    item.SeriesInstanceUID = series_uid
    item.ReferencedInstanceSequence = instances
    return item
