"""A reader study: grades by structure, and how well the readers agree (`papers.md` D1).

The paper's radiologists graded "good" or "excellent", with Gwet's AC1 of 0.27 to 0.72.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from training.assessment.cells import interval, number
from training.assessment.intervals import bootstrap
from training.assessment.reliability import gwet_ac1
from training.errors import TrainingError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from training.assessment.intervals import Interval

GRADES = ("poor", "fair", "good", "excellent")
"""The paper names the two best; the two below are ours."""
_COLUMNS = ("exam", "structure", "reader", "grade")


@dataclass(frozen=True)
class ReaderAgreement:
    """One structure: exams, share graded good or better, AC1 with its bootstrap interval."""

    structure: str
    exams: int
    readers: int
    good_or_better: float
    ac1: Interval


def read_grades(path: Path) -> list[ReaderAgreement]:
    """Read a CSV with the columns exam, structure, reader, grade, one row a grade.

    Raises:
        TrainingError: `READERS`, a column is missing, a grade is not one of `GRADES`, or an exam
            was not graded once by every reader of its structure.

    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise TrainingError(f"{path} cannot be read ({error})", code="READERS") from error
    if not rows or any(row.get(column) is None for row in rows for column in _COLUMNS):
        message = f"{path} needs the columns {', '.join(_COLUMNS)} and a row for every grade"
        raise TrainingError(message, code="READERS")
    grades: dict[str, dict[str, dict[str, int]]] = {}
    for line, row in enumerate(rows, start=2):
        exams = grades.setdefault(row["structure"], {})
        given = exams.setdefault(row["exam"], {})
        if row["grade"] not in GRADES or row["reader"] in given:
            message = (
                f"{path}, line {line}: a reader gives each exam and structure one grade of "
                f"{', '.join(GRADES)}"
            )
            raise TrainingError(message, code="READERS")
        given[row["reader"]] = GRADES.index(row["grade"])
    return [_agreement(structure, exams, path) for structure, exams in grades.items()]


def reader_table(rows: Sequence[ReaderAgreement]) -> str:
    """Return the study as a Markdown table."""
    lines = ["| structure | exams | readers | good or better | AC1 |", "|---|---|---|---|---|"]
    for r in rows:
        cells = [r.structure, str(r.exams), str(r.readers), number(r.good_or_better, 2)]
        lines.append(f"| {' | '.join(cells)} | {interval(r.ac1, 2)} |")
    return "\n".join(lines) + "\n"


def _agreement(structure: str, exams: dict[str, dict[str, int]], path: Path) -> ReaderAgreement:
    readers = sorted({reader for given in exams.values() for reader in given})
    short = [exam for exam, given in exams.items() if len(given) < len(readers)]
    if short or len(readers) < 2:
        message = f"{path}: {structure} needs a grade by the same two readers or more of every exam"
        raise TrainingError(message, code="READERS")
    ratings = [[given[reader] for reader in readers] for given in exams.values()]
    ac1 = bootstrap(ratings, lambda drawn: gwet_ac1(np.array(drawn), len(GRADES)))
    good = float(np.mean(np.array(ratings) >= GRADES.index("good")))
    return ReaderAgreement(structure, len(exams), len(readers), good, ac1)
