"""Headers of source images in the form that results can be derived from."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pydicom

from dicom_objects.attributes import text
from dicom_objects.uids import derived_uid

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pydicom import Dataset
    from pydicom.valuerep import PersonName

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


def read_sources(paths: Sequence[Path]) -> list[Dataset]:
    """Return the headers in the order given, without pixels, fit to derive results from.

    PatientName is empty in them: highdicom puts a name that it finds unusual into warnings and
    logs. `read_patient_name` gives it for the finished object.
    """
    return [
        _sanitised(pydicom.dcmread(path, stop_before_pixels=True, force=True)) for path in paths
    ]


def read_patient_name(path: Path) -> PersonName | str:
    """Return the patient's name as it was sent."""
    header = pydicom.dcmread(path, stop_before_pixels=True, force=True)
    return header.get("PatientName") or ""


def read_references(paths: Sequence[Path]) -> list[Dataset]:
    """Return the identifying attributes only: what evidence of a report needs."""
    tags = ["SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"]
    return [
        pydicom.dcmread(path, stop_before_pixels=True, force=True, specific_tags=tags)
        for path in paths
    ]


def _sanitised(header: Dataset) -> Dataset:
    """Fill what is missing and empty what is malformed; all else stays bit for bit."""
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
