"""Part of the store: what names a study to people. The only patients' names that it holds.

Written by the worker, read by the console and REST, and by nothing else; none of it belongs into
a log, a metric, an event or an address. docs/decisions/0017 says why it is here and for how long.
"""

from __future__ import annotations

import unicodedata
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from jobs.claims import write_held
from jobs.engine import Records, reads, writes
from jobs.schema import study_labels

if TYPE_CHECKING:
    from sqlalchemy import RowMapping

    from jobs.engine import Transaction
    from jobs.job import Job

_LONGEST = 400  # signs; a name has 5 x 64 in three scripts, anything longer is no label
_NUL = "\x00"  # PostgreSQL has none in text, and a damaged header may have brought one
_CARETS = str.maketrans({"^": " ", "=": " ", "\\": " ", ",": " "})


@dataclass(frozen=True)
class StudyLabel:
    """Texts of a study's headers, empty where these say nothing."""

    study_uid: str
    patient_name: str = field(default="", repr=False)
    """As DICOM writes it: parts after ^, other scripts after = (PS3.5 section 6.2.1)."""
    patient_id: str = field(default="", repr=False)
    accession_number: str = field(default="", repr=False)
    study_date: str = field(default="", repr=False)
    """YYYYMMDD."""
    scanner: str = field(default="", repr=False)
    """Maker and model."""


class StudyLabels(Records):
    """Labels."""

    @writes
    def keep_label(self, tx: Transaction, job: Job, label: StudyLabel) -> None:
        """Keep what names the study that the job measures; replaces what an earlier one said.

        Raises:
            LeaseLost: the job is no longer ours.

        """
        write_held(tx, job)
        row = {name: _clean(text) for name, text in asdict(label).items()}
        row["study_date"] = row["study_date"] if _is_date(row["study_date"]) else ""
        row["sought"] = _sought(row)
        changed = {name: value for name, value in row.items() if name != "study_uid"}
        statement = tx.insert(study_labels).values(row)
        key = [study_labels.c.study_uid]
        tx.connection.execute(statement.on_conflict_do_update(index_elements=key, set_=changed))

    @reads
    def label(self, tx: Transaction, study_uid: str) -> StudyLabel | None:
        """Return what names a study; None where nothing is kept of it."""
        query = select(study_labels).where(study_labels.c.study_uid == study_uid)
        row = tx.connection.execute(query).mappings().one_or_none()
        return None if row is None else to_label(row)

    @writes
    def forget_labels(self, tx: Transaction) -> int:
        """Remove every label, as where a site decides to keep no names; returns how many."""
        return tx.connection.execute(delete(study_labels)).rowcount


def to_label(row: RowMapping) -> StudyLabel:
    """Read a row of `study_labels`."""
    return StudyLabel(**{one.name: row[one.name] for one in fields(StudyLabel)})


def folded(text: str) -> str:
    """Return a text as it is sought: no case, no accents, and spaces between parts of a name."""
    apart = unicodedata.normalize("NFKD", text.replace(_NUL, "").translate(_CARETS))
    plain = "".join(sign for sign in apart if not unicodedata.combining(sign))
    return " ".join(plain.casefold().split())


def _sought(row: dict[str, str]) -> str:
    names = ("patient_name", "patient_id", "accession_number", "scanner")
    return "\n".join(folded(row[name]) for name in names)


def _clean(text: str) -> str:
    return text.replace(_NUL, "").strip()[:_LONGEST]


def _is_date(text: str) -> bool:
    return len(text) == 8 and text.isascii() and text.isdigit()
