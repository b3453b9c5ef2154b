"""Two or more models on the same patients: which differ, and by what test (`papers.md` B.4).

Numbers of a patient are paired (Wilcoxon signed-rank); Dice and NSD of detected lesions are not,
since each model detects others (Mann-Whitney U). Bonferroni over every test of the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from training.assessment.cells import number
from training.assessment.patients import MEASURABLE_ML, by_patient, count, mean_lesion_dice
from training.assessment.significance import bonferroni, mann_whitney_p, wilcoxon_p
from training.errors import TrainingError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from training.scoring.case import CaseResult
    from training.scoring.lesions import ExamLesions, LesionScore

    OfPatient = Callable[[Sequence[ExamLesions]], float | None]

_OF_PATIENTS: tuple[tuple[str, OfPatient], ...] = (
    ("F2", lambda exams: count(exams).f2),
    ("sensitivity", lambda exams: count(exams).sensitivity),
    ("precision", lambda exams: count(exams).precision),
    ("false positives per exam", lambda exams: count(exams).false_per_exam),
    ("mean lesion Dice, misses 0", mean_lesion_dice),
    (
        f"sensitivity ≥ {MEASURABLE_ML:g} mL",
        lambda exams: count(exams, MEASURABLE_ML).sensitivity,
    ),
    (
        f"false positives per exam ≥ {MEASURABLE_ML:g} mL",
        lambda exams: count(exams, MEASURABLE_ML).false_per_exam,
    ),
)


@dataclass(frozen=True)
class Difference:
    """One number of two models: medians, p value, and p corrected for all tests of the table.

    p is None where nothing can be tested: no pair differs, or a group is empty.
    """

    number: str
    test: str
    first: str
    second: str
    median_first: float | None
    median_second: float | None
    n: str
    p: float | None
    p_corrected: float | None = None


def compare_models(models: Mapping[str, Sequence[CaseResult]]) -> list[Difference]:
    """Compare every pair of models, in the order in which they are given.

    Raises:
        TrainingError: `COMPARISON`, fewer than two models, or they saw different exams.

    """
    _refuse_different_exams(models)
    rows: list[Difference] = []
    for first, second in combinations(models, 2):
        rows += _of_patients((first, second), [models[first], models[second]])
        rows += _of_lesions((first, second), [models[first], models[second]])
    corrected = bonferroni([row.p for row in rows])
    return [
        Difference(**(vars(row) | {"p_corrected": p}))
        for row, p in zip(rows, corrected, strict=True)
    ]


def comparison_table(rows: Sequence[Difference]) -> str:
    """Return the comparison as a Markdown table."""
    made = sum(row.p is not None for row in rows)
    lines = [
        f"| number (median) | A | B | A | B | n | test | p | p x {made} |",
        "|" + "---|" * 9,
    ]
    for r in rows:
        medians = f"{number(r.median_first)} | {number(r.median_second)}"
        tested = f"{r.test} | {number(r.p, 4)} | {number(r.p_corrected, 4)}"
        lines.append(f"| {r.number} | {r.first} | {r.second} | {medians} | {r.n} | {tested} |")
    return "\n".join(lines) + "\n"


def _of_patients(names: tuple[str, str], models: list[Sequence[CaseResult]]) -> list[Difference]:
    groups = [_exams_by_patient(cases) for cases in models]
    rows = []
    for title, of in _OF_PATIENTS:
        pairs = [(of(groups[0][p]), of(groups[1][p])) for p in groups[0]]
        known = [(a, b) for a, b in pairs if a is not None and b is not None]
        first, second = [a for a, _ in known], [b for _, b in known]
        p = wilcoxon_p(first, second)
        medians = (_median(first), _median(second))
        rows.append(Difference(title, "Wilcoxon", *names, *medians, f"{len(known)} patients", p))
    return rows


def _of_lesions(names: tuple[str, str], models: list[Sequence[CaseResult]]) -> list[Difference]:
    found = [[le for c in cases for le in c.lesions.lesions if le.detected] for cases in models]
    rows = []
    for title, of in (
        ("Dice of detected lesions", _dice),
        ("NSD 3 mm of detected lesions", _widest_nsd),
    ):
        first, second = (of(lesions) for lesions in found)
        n = f"{len(first)} and {len(second)} lesions"
        medians = (_median(first), _median(second))
        p = mann_whitney_p(first, second)
        rows.append(Difference(title, "Mann-Whitney", *names, *medians, n, p))
    return rows


def _dice(lesions: Sequence[LesionScore]) -> list[float]:
    return [le.dice for le in lesions if le.dice is not None]


def _widest_nsd(lesions: Sequence[LesionScore]) -> list[float]:
    return [le.nsd[-1] for le in lesions if le.nsd is not None]


def _exams_by_patient(cases: Sequence[CaseResult]) -> dict[str, list[ExamLesions]]:
    return {group[0].patient: [c.lesions for c in group] for group in by_patient(cases)}


def _median(values: Sequence[float]) -> float | None:
    return float(np.median(values)) if len(values) else None


def _refuse_different_exams(models: Mapping[str, Sequence[CaseResult]]) -> None:
    if len(models) < 2:
        raise TrainingError("a comparison needs two evaluations or more", code="COMPARISON")
    exams = {name: {c.case for c in cases} for name, cases in models.items()}
    first = next(iter(exams))
    for name, seen in exams.items():
        if seen != exams[first]:
            message = f"{name} and {first} were evaluated on different exams; use the same for all"
            raise TrainingError(message, code="COMPARISON")
