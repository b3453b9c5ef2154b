"""The studies that are sent to the system: whose they are, and what becomes of them."""

from dataclasses import dataclass
from pathlib import Path

import pydicom

from dicom_objects.scanner.study import Identity, write_study
from phantom.acquisition import Acquisition, Protocol, acquire
from phantom.course import Course
from phantom.follow_up import make_visits

COARSE = Protocol(
    b_values=(50.0, 900.0), n_stations=2, in_plane_mm=5.0, slice_mm=10.0, matrix=(80, 104)
)
SCRIPT = "<script>alert(1)</script>"
PICTURE = "<img src=x onerror=alert(2)>"
CANARIES = ("ZEBRAFINCH", "ZF-77-ID", "ZFACC")
"""Parts of every patient's name, Patient ID and accession numbers here."""


@dataclass(frozen=True)
class Study:
    """One study: its UID, its files, and what its headers say about whose it is."""

    uid: str
    folder: Path
    identity: Identity


def acquisitions() -> tuple[Acquisition, Acquisition]:
    """Scan one person at two visits between which the disease grows."""
    first, second = make_visits(1000, Course.PROGRESSING, 2)
    return acquire(first, COARSE), acquire(second, COARSE)


def person(number: int, study_date: str = "20250115") -> Identity:
    """Return an identity whose texts are traps: markup that must be shown as it is written."""
    return Identity(
        patient_name=f"ZEBRAFINCH{number} {SCRIPT}^{PICTURE}",
        patient_id=f"ZF-77-ID-{number} {PICTURE}",
        accession_number=f"ZFACC{number} <b>{study_date[-4:]}"[:16],
        study_date=study_date,
        study_id=str(number),
    )


def write(acquisition: Acquisition, folder: Path, identity: Identity) -> Study:
    """Write a study that can be measured."""
    paths = write_study(acquisition, folder, identity)
    return Study(str(pydicom.dcmread(paths[0]).StudyInstanceUID), folder, identity)


def write_with_one_b_value(acquisition: Acquisition, folder: Path, identity: Identity) -> Study:
    """Write a study that no ADC can be fitted to."""
    study = write(acquisition, folder, identity)
    for path in folder.rglob("*"):
        if path.parent.name.endswith("_b900"):
            path.unlink()
    return study
