"""The slices of a station, each as a classic image whatever form its source has.

highdicom derives objects from one classic image a slice. A frame of an enhanced object and a tile
of a mosaic get a header made from the top level of their file and from the station's geometry;
`dicom_objects.writing.references` then names the stored image instead. The header of a classic
image stays as it is, so positions come back as the exact texts of the source.
"""

from __future__ import annotations

from copy import copy, deepcopy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from pydicom import DataElement, Dataset
from pydicom.uid import MRImageStorage
from pydicom.valuerep import DSfloat

from dicom_objects.attributes import numbers, text
from dicom_objects.errors import SourceMismatch
from dicom_objects.uids import derived_uid
from dicom_objects.writing.source_images import read_headers_of, references_to

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dicom_objects.reading.records import SourceImage
    from dicom_objects.writing.source_images import ImageReference
    from imaging.geometry import Geometry

_MULTI_FRAME = (
    "NumberOfFrames",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
    "DimensionOrganizationSequence",
    "DimensionIndexSequence",
)
_SAME_PLACE = 0.5
"""A source further than this share of the finest spacing from its slice is another image."""
# One place for what highdicom wants to be equal in all images of a stack.
_SHARED = ("SeriesInstanceUID", "FrameOfReferenceUID", "ImageOrientationPatient")


@dataclass(frozen=True, eq=False)
class SourceSlice:
    """One slice of a station: the header of a classic image of it, and the stored image."""

    header: Dataset = field(repr=False)
    """Its SOP Instance UID is the stored image's only where that is classic."""
    reference: ImageReference
    stored_shape: tuple[int, int]
    """Rows and columns of the stored image: those of the mosaic where this is a tile."""


def read_slices(images: Sequence[SourceImage], geometry: Geometry) -> tuple[SourceSlice, ...]:
    """Return the slices of one volume, in its order.

    Raises:
        SourceMismatch: there is not one image a slice, or one lies where its slice is not.

    """
    if len(images) != geometry.shape[0]:
        message = f"there are {len(images)} source images for {geometry.shape[0]} slices"
        raise SourceMismatch(message)
    files = read_headers_of(images)
    shapes = {path: (int(file.Rows), int(file.Columns)) for path, file in files.items()}
    references = references_to(images, files)
    headers = [
        _header(files[image.path], reference, k, geometry)
        for k, (image, reference) in enumerate(zip(images, references, strict=True))
    ]
    for k, header in enumerate(headers):
        _check(header, k, geometry)
        _share(header, headers[0])
    return tuple(
        SourceSlice(header, reference, shapes[image.path])
        for image, header, reference in zip(images, headers, references, strict=True)
    )


def copy_of(header: Dataset) -> Dataset:
    """Return a header whose elements can be set without setting those of the original.

    pydicom's own shallow copies share the elements.
    """
    copied = Dataset()
    implicit, little_endian = header.original_encoding
    copied.set_original_encoding(implicit, little_endian, header.original_character_set)
    copied.update({tag: copy(header.get_item(tag)) for tag in header.keys()})  # noqa: SIM118
    return copied


def _header(file: Dataset, reference: ImageReference, k: int, geometry: Geometry) -> Dataset:
    frame = _groups(file, reference.frame_number or 1)
    if not reference.is_tile and frame is None:
        if not text(file, "SliceThickness"):
            file.SliceThickness = _decimal(geometry.spacing_mm[0])
        return file
    header = copy_of(file)
    for keyword in _MULTI_FRAME:
        if keyword in header:
            del header[keyword]
    header.SOPClassUID = MRImageStorage
    header.SOPInstanceUID = derived_uid(reference.sop_instance_uid, "slice", str(k))
    header.Rows, header.Columns = geometry.shape[1:]
    for element in _plane(geometry, k):
        header[element.tag] = element
    for element in frame or ():
        header[element.tag] = element
    return header


def _groups(file: Dataset, frame_number: int) -> list[DataElement] | None:
    """Return what the functional groups say about the plane of a frame; None without groups.

    Shared groups come first: what a frame says of its own wins (PS3.3 C.7.6.16).
    """
    per_frame = file.get("PerFrameFunctionalGroupsSequence") or []
    shared = file.get("SharedFunctionalGroupsSequence") or []
    if not per_frame and not shared:
        return None
    found = []
    for groups in (*shared[:1], *per_frame[frame_number - 1 : frame_number]):
        for sequence, keyword, count in _PLANE_GROUPS:
            item = next(iter(groups.get(sequence) or []), None)
            if item is not None and len(numbers(item, keyword)) == count:
                found.append(deepcopy(item[keyword]))
    return found


_PLANE_GROUPS = (
    ("PlanePositionSequence", "ImagePositionPatient", 3),
    ("PlaneOrientationSequence", "ImageOrientationPatient", 6),
    ("PixelMeasuresSequence", "PixelSpacing", 2),
    ("PixelMeasuresSequence", "SliceThickness", 1),
)


def _plane(geometry: Geometry, k: int) -> Dataset:
    """Where slice `k` of the volume is."""
    between_slices, between_rows, between_columns = geometry.spacing_mm
    along_row = geometry.affine[:3, 2] / between_columns
    down_column = geometry.affine[:3, 1] / between_rows
    plane = Dataset()
    plane.ImagePositionPatient = _decimals(geometry.to_patient_mm((k, 0, 0)))
    plane.ImageOrientationPatient = _decimals((*along_row, *down_column))
    plane.PixelSpacing = _decimals((between_rows, between_columns))
    plane.SliceThickness = _decimal(between_slices)
    plane.SpacingBetweenSlices = _decimal(between_slices)
    return plane


def _check(header: Dataset, k: int, geometry: Geometry) -> None:
    """Compare the first and the last pixel of the image with those of the slice."""
    first = np.array(numbers(header, "ImagePositionPatient"))
    along_row, down_column = np.split(np.array(numbers(header, "ImageOrientationPatient")), 2)
    between_rows, between_columns = numbers(header, "PixelSpacing")
    rows, columns = geometry.shape[1] - 1, geometry.shape[2] - 1
    last = first + down_column * between_rows * rows + along_row * between_columns * columns
    slice_mm = geometry.to_patient_mm([(k, 0, 0), (k, rows, columns)])
    distance = np.linalg.norm(slice_mm - (first, last), axis=1).max()
    if distance > _SAME_PLACE * min(geometry.spacing_mm):
        message = (
            f"the source of slice {k + 1} of {geometry.shape[0]} lies {distance:.1f} mm from it: "
            "the results cannot be attached to these images"
        )
        raise SourceMismatch(message)


def _share(header: Dataset, first: Dataset) -> None:
    for keyword in _SHARED:
        if header[keyword].value != first[keyword].value:
            header[keyword] = deepcopy(first[keyword])


def _decimals(values: Iterable[float]) -> list[DSfloat]:
    return [_decimal(value) for value in values]


def _decimal(value: float) -> DSfloat:
    """Return a decimal string of at most 16 characters (PS3.5 6.2), without noise."""
    return DSfloat(round(float(value), 9) + 0.0, auto_format=True)
