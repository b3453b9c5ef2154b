"""What names a patient and a study, as the page prints it: it never reaches a log or a repr."""

from __future__ import annotations

from dataclasses import dataclass, field

from report.lettering import can_print

NAME_NOT_PRINTABLE = "(in letters that this report lacks; see the image header)"
IN_HEADER = "see the header of this image"
_UNKNOWN_SIGN = "□"
_SEXES = {"M": "male", "F": "female", "O": "other"}


@dataclass(frozen=True)
class PatientText:
    """Texts of the study's headers, empty where these say nothing; dates as YYYYMMDD."""

    names: tuple[str, ...] = field(default=(), repr=False)
    """The name in each form that the header has, the alphabetic one first."""
    patient_id: str = field(default="", repr=False)
    birth_date: str = field(default="", repr=False)
    sex: str = field(default="", repr=False)
    accession_number: str = field(default="", repr=False)
    study_date: str = field(default="", repr=False)
    scanner: str = field(default="", repr=False)
    """Maker and model."""
    field_strength_t: float | None = field(default=None, repr=False)


def patient_fields(patient: PatientText | None) -> tuple[tuple[str, str], ...]:
    """Return labels and texts for the head of the page; without `patient`, where to find them.

    A page that is shown as pixels says nothing of the patient: its header does.
    """
    if patient is None:
        return (("Patient and study", IN_HEADER),)
    return (
        ("Patient", _name(patient.names)),
        ("Patient ID", _text(patient.patient_id)),
        ("Born, sex", _joined(dated(patient.birth_date), _SEXES.get(patient.sex, patient.sex))),
        ("Accession", _text(patient.accession_number)),
        ("Study date", dated(patient.study_date) or "–"),  # noqa: RUF001 - a dash, not a minus
    )


def scanner_text(patient: PatientText | None) -> str:
    """Return maker, model and field strength; empty where the page has no texts of the study."""
    if patient is None:
        return ""
    strength = patient.field_strength_t
    return _joined(patient.scanner, f"{strength:g} T" if strength else "")


def dated(text: str) -> str:
    """Return a DICOM date as ISO 8601; anything else as it is."""
    if len(text) == 8 and text.isdigit():
        return f"{text[:4]}-{text[4:6]}-{text[6:]}"
    return _text(text) if text else ""


def _name(names: tuple[str, ...]) -> str:
    """Return the first form that can be printed whole: half a name is another name."""
    given = [name for name in names if name]
    if not given:
        return "–"  # noqa: RUF001
    return next((name for name in given if can_print(name)), NAME_NOT_PRINTABLE)


def _text(words: str) -> str:
    shown = "".join(sign if can_print(sign) else _UNKNOWN_SIGN for sign in words)
    return shown or "–"  # noqa: RUF001


def _joined(*parts: str) -> str:
    return ", ".join(_text(part) for part in parts if part) or "–"  # noqa: RUF001
