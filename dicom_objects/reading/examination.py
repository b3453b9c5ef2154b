"""Which examination a study is: when, on which scanner, and whose, without saying so.

A patient is known by keyed digests (HMAC-SHA256, RFC 2104) under a secret of the installation:
equal for one patient, and without the secret no ID can be tried out against them. The ID itself
is read and forgotten.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pydicom

from dicom_objects.attributes import DAMAGED, number, text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pydicom import Dataset

_PATIENT = ("PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex")
_SCANNER = ("Manufacturer", "ManufacturerModelName", "DeviceSerialNumber", "MagneticFieldStrength")
_TAGS = ["Modality", "StudyInstanceUID", "StudyDate", "StudyTime", *_PATIENT, *_SCANNER]
_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})")
_TIME = re.compile(r"(\d{2})(\d{2})(\d{2})?")


@dataclass(frozen=True)
class PatientKeys:
    """Keyed digests of a patient, hexadecimal; empty where the images do not say."""

    patient: str = field(default="", repr=False)
    """Of Patient ID and its issuer."""
    birth_date: str = field(default="", repr=False)
    sex: str = field(default="", repr=False)

    def conflicts_with(self, other: PatientKeys) -> bool:
        """Whether one ID stands for two persons: another date of birth, or another sex."""
        pairs = ((self.birth_date, other.birth_date), (self.sex, other.sex))
        return any(one and two and one != two for one, two in pairs)


@dataclass(frozen=True)
class Examination:
    """When and where a study was made; `taken_at` is ISO 8601, a date or a date and time."""

    study_uid: str
    taken_at: str = ""
    scanner: str = ""
    """For people: maker, model and field strength."""
    scanner_key: str = ""
    """Equal for one device: 16 hexadecimal digits; empty where the images do not name it."""
    patient: PatientKeys = PatientKeys()


def read_examination(paths: Iterable[Path], secret: bytes = b"") -> Examination | None:
    """Read the first MR image of a study; None where there is none.

    Without a `secret` nothing is said of the patient.
    """
    for path in paths:
        try:
            header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=_TAGS)
        except (*DAMAGED, OSError):
            continue
        if text(header, "Modality") == "MR" and text(header, "StudyInstanceUID"):
            return _examination(header, secret)
    return None


def _examination(header: Dataset, secret: bytes) -> Examination:
    field_t = number(header, "MagneticFieldStrength")
    maker, model = (text(header, keyword) for keyword in _SCANNER[:2])
    field = "" if field_t is None else f"{field_t:g} T"
    device = "\x1f".join(text(header, keyword) for keyword in _SCANNER[:3])
    known = maker or model or text(header, "DeviceSerialNumber")
    return Examination(
        study_uid=text(header, "StudyInstanceUID"),
        taken_at=_taken_at(text(header, "StudyDate"), text(header, "StudyTime")),
        scanner=", ".join(part for part in (f"{maker} {model}".strip(), field) if part),
        scanner_key=hashlib.sha256(f"{device}\x1f{field}".encode()).hexdigest()[:16]
        if known
        else "",
        patient=_keys(header, secret) if secret else PatientKeys(),
    )


def _keys(header: Dataset, secret: bytes) -> PatientKeys:
    patient_id = text(header, "PatientID")
    named = f"{text(header, 'IssuerOfPatientID')}\x1f{patient_id}" if patient_id else ""
    return PatientKeys(
        _keyed("patient", named, secret),
        _keyed("birth", text(header, "PatientBirthDate"), secret),
        _keyed("sex", text(header, "PatientSex"), secret),
    )


def _keyed(kind: str, value: str, secret: bytes) -> str:
    if not value:
        return ""
    return hmac.new(secret, f"{kind}\x1f{value}".encode(), hashlib.sha256).hexdigest()


def _taken_at(date: str, time: str) -> str:
    day = _DATE.fullmatch(date.replace(".", ""))
    if day is None:
        return ""
    moment = _TIME.match(time)
    clock = ":".join(part or "00" for part in moment.groups()) if moment else ""
    return "-".join(day.groups()) + (f"T{clock}" if clock else "")
