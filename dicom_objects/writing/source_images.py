"""Headers of source images in the form that results can be derived from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pydicom
from pydicom.datadict import dictionary_has_tag, dictionary_VR, tag_for_keyword
from pydicom.filereader import read_partial
from pydicom.valuerep import PersonName

from dicom_objects.attributes import DAMAGED, attribute, text
from dicom_objects.uids import derived_uid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pydicom import Dataset
    from pydicom.tag import BaseTag

    from dicom_objects.reading.records import SourceImage

_FORMS = {
    "PatientBirthDate": r"\d{8}",
    "StudyDate": r"\d{8}",
    "StudyTime": r"\d{2}(\d{2}(\d{2}(\.\d{1,6})?)?)?",
    "PatientSex": r"[MFO]",
}
# Type 2: present in every object, possibly empty (PS3.3 C.7.1.1, C.7.2.1, C.7.5.1); scanners and
# de-identifiers leave them out, and highdicom raises without them.
_TYPE_2 = (
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
    "Manufacturer",
)
_SERIES = tag_for_keyword("SeriesInstanceUID") or 0
_PATIENT_AND_STUDY = (0x0008, 0x0010, 0x0012)
_COPIED = (*_PATIENT_AND_STUDY, 0x0020)
"""Groups whose elements are copied into results."""


@dataclass(frozen=True)
class ImageReference:
    """A stored image, or one frame of it, as other objects refer to it."""

    sop_class_uid: str
    sop_instance_uid: str
    series_uid: str
    frame_number: int | None = None
    """From 1 in a multi-frame object."""
    is_tile: bool = False
    """Whether it is one tile of the image, which no reference can name: only all of it."""

    @property
    def frame(self) -> tuple[str, int | None]:
        """What tells stored images apart: tiles of one mosaic are the same image."""
        return (self.sop_instance_uid, self.frame_number)


def read_headers_of(images: Sequence[SourceImage]) -> dict[Path, Dataset]:
    """Return the header of each file once, without pixels, fit to derive results from.

    PatientName is empty in them: highdicom puts a name that it finds unusual into warnings and
    logs. `read_patient_name` gives it for the finished object.
    """
    return {
        path: _sanitised(pydicom.dcmread(path, stop_before_pixels=True, force=True))
        for path in dict.fromkeys(image.path for image in images)
    }


def read_patient_name(path: Path) -> PersonName | str:
    """Return the patient's name as it was sent."""
    header = pydicom.dcmread(path, stop_before_pixels=True, force=True)
    name = attribute(header, "PatientName")
    return name if isinstance(name, PersonName | str) else ""


def read_references(images: Sequence[SourceImage]) -> tuple[ImageReference, ...]:
    """Return how to refer to the image behind each slice; each file is read once."""
    paths = dict.fromkeys(image.path for image in images)
    return references_to(images, {path: _identity(path) for path in paths})


def _identity(path: Path) -> Dataset:
    """Read up to the series: the groups of an enhanced object come after it, thousands of them."""
    with path.open("rb") as file:
        return read_partial(file, stop_when=lambda tag, *_: tag > _SERIES, force=True)


def references_to(
    images: Sequence[SourceImage], headers: Mapping[Path, Dataset]
) -> tuple[ImageReference, ...]:
    """Return how to refer to the image behind each slice of one volume."""
    paths = [image.path for image in images]
    return tuple(
        ImageReference(
            text(headers[image.path], "SOPClassUID"),
            text(headers[image.path], "SOPInstanceUID"),
            text(headers[image.path], "SeriesInstanceUID"),
            image.frame_number,
            is_tile=image.frame_number is None and paths.count(image.path) > 1,
        )
        for image in images
    )


def _sanitised(header: Dataset) -> Dataset:
    """Fill what is missing and leave out what is malformed; all else stays bit for bit."""
    for tag in [t for t in header.keys() if t.group in _COPIED]:  # noqa: SIM118
        if not _is_kept(header, tag):
            del header[tag]
    for keyword in _TYPE_2:
        if keyword not in header:
            setattr(header, keyword, "")
    for keyword, form in _FORMS.items():
        if not re.fullmatch(form, text(header, keyword)):
            setattr(header, keyword, "")
    header.PatientName = ""
    if not text(header, "FrameOfReferenceUID"):
        series = text(header, "SeriesInstanceUID")
        header.FrameOfReferenceUID = derived_uid(series, "frame of reference")
    return header


def _is_kept(header: Dataset, tag: BaseTag) -> bool:
    """Whether an element has a value that can be written; sequences of type 3 are never empty."""
    try:
        value = header[tag].value
        if header[tag].VR == "SQ" and not all(_is_kept(i, t) for i in value for t in i.keys()):  # noqa: SIM118
            return False
    except DAMAGED:
        return False
    return bool(value) or not _is_patient_or_study_sequence(tag)


def _is_patient_or_study_sequence(tag: BaseTag) -> bool:
    return (
        tag.group in _PATIENT_AND_STUDY and dictionary_has_tag(tag) and dictionary_VR(tag) == "SQ"
    )
