"""Whose study it is, in clear: to ask an archive by, and to compare with what it answers.

It is read when it is needed and goes nowhere else: not into the store, a log or a repr.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pydicom
from pydicom import config

from dicom_objects.attributes import DAMAGED, text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_PATIENT = ("PatientID", "IssuerOfPatientID", "PatientName", "PatientBirthDate", "PatientSex")
_STUDY = ("StudyInstanceUID", "StudyDate", "StudyTime", "Modality", "SpecificCharacterSet")


@dataclass(frozen=True)
class Patient:
    """A patient as one study says; empty where it does not. Dates are YYYYMMDD."""

    study_uid: str
    patient_id: str = field(default="", repr=False)
    issuer: str = field(default="", repr=False)
    name: str = field(default="", repr=False)
    """As DICOM writes it: Family^Given, its groups separated by `=`."""
    birth_date: str = field(default="", repr=False)
    sex: str = field(default="", repr=False)
    study_date: str = field(default="", repr=False)
    study_time: str = field(default="", repr=False)


def read_patient(paths: Iterable[Path]) -> Patient | None:
    """Read the first MR image of a study; None where there is none."""
    tags = [*_PATIENT, *_STUDY]
    # Warnings may quote a value, and are written where the process writes.
    with warnings.catch_warnings(), config.disable_value_validation():
        warnings.simplefilter("ignore")
        for path in paths:
            try:
                header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=tags)
                if text(header, "Modality") == "MR" and text(header, "StudyInstanceUID"):
                    return _patient(header)
            except (*DAMAGED, OSError):
                continue
    return None


def _patient(header: pydicom.Dataset) -> Patient:
    return Patient(
        study_uid=text(header, "StudyInstanceUID"),
        patient_id=text(header, "PatientID"),
        issuer=text(header, "IssuerOfPatientID"),
        name=str(header.get("PatientName") or "").strip(),
        birth_date=text(header, "PatientBirthDate").replace(".", ""),
        sex=text(header, "PatientSex"),
        study_date=text(header, "StudyDate").replace(".", ""),
        study_time=text(header, "StudyTime"),
    )
