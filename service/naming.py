"""What of a patient's name is shown to whom: one rule for the console and REST."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from service.access.caller import Role

if TYPE_CHECKING:
    from jobs.labels import StudyLabel
    from service.access.caller import Caller

NOBODY = "nobody"


@dataclass(frozen=True)
class Named:
    """What a caller is shown of a study's label; empty where it says nothing or is not shown."""

    patient_name: str = field(default="", repr=False)
    patient_id: str = field(default="", repr=False)
    accession_number: str = field(default="", repr=False)
    study_date: str = field(default="", repr=False)
    """ISO 8601."""
    scanner: str = field(default="", repr=False)
    masked: bool = False
    """Whether the name is not shown in full, and Patient ID and accession number not at all."""


@dataclass(frozen=True)
class Naming:
    """`console.names_from` and `console.names_otherwise`."""

    names_from: str = str(Role.VIEWER)
    otherwise: Literal["initials", "hidden"] = "initials"

    def shows(self, caller: Caller | None) -> bool:
        """Tell whether a caller is shown names; who is not must not search for them either."""
        if caller is None or self.names_from == NOBODY:
            return False
        return caller.may(self.names_from)

    def of(self, label: StudyLabel | None, caller: Caller | None) -> Named:
        """Return what a caller is shown of a label."""
        if label is None:
            return Named()
        date, scanner = _iso(label.study_date), label.scanner
        if self.shows(caller):
            ours = label.patient_name.partition("=")[0], label.patient_id, label.accession_number
            return Named(*ours, date, scanner)
        short = initials(label.patient_name) if self.otherwise == "initials" else ""
        return Named(short, "", "", date, scanner, masked=True)


def initials(name: str) -> str:
    """Return "D. J." for "Doe, Jane"; of scripts without letters' case the first sign too."""
    first = name.partition("=")[0]
    words = first.replace(",", " ").replace("^", " ").split()
    return " ".join(f"{word[0].upper()}." for word in words[:3])


def _iso(date: str) -> str:
    return f"{date[:4]}-{date[4:6]}-{date[6:]}" if len(date) == 8 else date
