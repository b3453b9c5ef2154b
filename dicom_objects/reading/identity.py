"""Whose study it is, without saying so: keys that are equal for one patient and name nobody."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pydicom

from dicom_objects.attributes import DAMAGED, text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_PHANTOM = "OSTEON-PHANTOM-"
_TAGS = ["PatientID", "IssuerOfPatientID", "StudyInstanceUID"]


@dataclass(frozen=True)
class StudyIdentity:
    """Digests, 16 hexadecimal digits each: pseudonyms, not anonymous (an ID can be tried out)."""

    patient: str
    """Of Patient ID and its issuer; of the study where there is no Patient ID."""
    study: str
    phantom: str = field(default="", repr=False)
    """Patient ID of a synthetic patient of Osteon's, who is nobody; empty for all others."""


def study_identity(paths: Iterable[Path]) -> StudyIdentity | None:
    """Return the identity in the first readable file of a study; None where there is none."""
    for path in paths:
        try:
            header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=_TAGS)
        except (*DAMAGED, OSError):
            continue
        study = text(header, "StudyInstanceUID")
        if study:
            patient = text(header, "PatientID")
            named = f"{text(header, 'IssuerOfPatientID')}\x1f{patient}" if patient else study
            phantom = patient if patient.startswith(_PHANTOM) else ""
            return StudyIdentity(pseudonym(named), pseudonym(study), phantom)
    return None


def pseudonym(name: str) -> str:
    """Return 16 hexadecimal digits that are always the same for one name."""
    return hashlib.sha256(f"osteon\x1f{name}".encode()).hexdigest()[:16]
