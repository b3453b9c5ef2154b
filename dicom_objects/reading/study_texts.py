"""The texts of a study that a report prints for the reader: whose it is and where it was made.

They leave this room for the report's page only; nothing here is logged, and no repr shows them.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pydicom
from pydicom import config

from dicom_objects.attributes import DAMAGED, attribute, number, text

if TYPE_CHECKING:
    from pathlib import Path

    from pydicom import Dataset


@dataclass(frozen=True)
class StudyTexts:
    """As the header has them, empty where it says nothing; dates as YYYYMMDD."""

    names: tuple[str, ...] = field(default=(), repr=False)
    """The patient's name in each form that the header has, the alphabetic one first."""
    patient_id: str = field(default="", repr=False)
    birth_date: str = field(default="", repr=False)
    sex: str = field(default="", repr=False)
    accession_number: str = field(default="", repr=False)
    study_date: str = field(default="", repr=False)
    scanner: str = field(default="", repr=False)
    """Maker and model."""
    field_strength_t: float | None = field(default=None, repr=False)


def read_study_texts(path: Path) -> StudyTexts:
    """Read them from one image; what is damaged reads as missing.

    Raises:
        OSError: the file cannot be read; one of `dicom_objects.attributes.DAMAGED`: it is no DICOM.

    """
    # Warnings may quote a value, and are written where the process writes.
    with warnings.catch_warnings(), config.disable_value_validation():
        warnings.simplefilter("ignore")
        return _texts(_View(pydicom.dcmread(path, stop_before_pixels=True, force=True)))


def _texts(header: _View) -> StudyTexts:
    return StudyTexts(
        names=_names(header.dataset),
        patient_id=text(header, "PatientID"),
        birth_date=text(header, "PatientBirthDate"),
        sex=text(header, "PatientSex"),
        accession_number=text(header, "AccessionNumber"),
        study_date=text(header, "StudyDate"),
        scanner=f"{text(header, 'Manufacturer')} {text(header, 'ManufacturerModelName')}".strip(),
        field_strength_t=number(header, "MagneticFieldStrength"),
    )


@dataclass(frozen=True)
class _View:
    dataset: Dataset

    def get(self, key: str, /) -> object:
        return attribute(self.dataset, key)


def _names(header: Dataset) -> tuple[str, ...]:
    """Return "Family, Prefix Given Middle, Suffix" of each component group (PS3.5 6.2.1)."""
    try:
        groups = str(header.get("PatientName") or "").split("=")
    except DAMAGED:
        return ()
    return tuple(name for name in map(_written, groups) if name)


def _written(group: str) -> str:
    parts = [part.strip() for part in group.split("^")] + [""] * 5
    family, given, middle, prefix, suffix = parts[:5]
    called = " ".join(part for part in (prefix, given, middle) if part)
    return ", ".join(part for part in (family, called, suffix) if part)
