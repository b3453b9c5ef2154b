"""The image library of a report: a few of the source images (TID 1600).

highdicom writes it from headers of classic images; here it gets them, and its entries come to
name the stored images: a frame of an enhanced object, or a mosaic as a whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicom_objects.writing.slices import copy_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pydicom import Dataset

    from dicom_objects.writing.slices import SourceSlice

_SOURCE = "260753009"
"""SCT Source: the concept of an entry."""


def library_slices(slices: Sequence[SourceSlice]) -> tuple[SourceSlice, ...]:
    """Return the first and the last slice of a station; only one where one image holds both."""
    first, last = slices[0], slices[-1]
    return (first,) if first.reference.frame == last.reference.frame else (first, last)


def library_headers(slices: Iterable[SourceSlice]) -> list[Dataset]:
    """Return what the entries are written from."""
    return [_whole(one) if one.reference.is_tile else one.header for one in slices]


def refer_library(content: Sequence[Dataset], slices: Iterable[SourceSlice]) -> None:
    """Let the entries in the content of a report name the stored images."""
    behind = {str(one.header.SOPInstanceUID): one.reference for one in slices}
    for item in _entries(content):
        place = item.ReferencedSOPSequence[0]
        reference = behind[str(place.ReferencedSOPInstanceUID)]
        place.ReferencedSOPClassUID = reference.sop_class_uid
        place.ReferencedSOPInstanceUID = reference.sop_instance_uid
        if reference.frame_number is not None:
            place.ReferencedFrameNumber = reference.frame_number


def _whole(tile: SourceSlice) -> Dataset:
    """Describe the mosaic: it has the size of all tiles and no position in the patient.

    Of another modality highdicom writes no plane (TID 1604); the entry itself says MR, which
    comes from the SOP class.
    """
    header = copy_of(tile.header)
    header.Modality = "OT"
    header.Rows, header.Columns = tile.stored_shape
    return header


def _entries(items: Iterable[Dataset]) -> Iterator[Dataset]:
    for item in items:
        concepts = item.get("ConceptNameCodeSequence") or []
        if item.ValueType == "IMAGE" and concepts[0].CodeValue == _SOURCE:
            yield item
        yield from _entries(item.get("ContentSequence") or [])
