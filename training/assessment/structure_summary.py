"""Structures over all exams: mean, interval, spread and extremes of every number."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from training.assessment.intervals import bootstrap_mean
from training.assessment.patients import by_patient
from training.scoring.structures import NAMES
from training.scoring.surfaces import TOLERANCES_MM

if TYPE_CHECKING:
    from collections.abc import Sequence

    from training.assessment.intervals import Interval
    from training.scoring.case import CaseResult
    from training.scoring.structures import StructureScore

NSD = tuple(f"nsd_{mm:g}_mm" for mm in TOLERANCES_MM)


@dataclass(frozen=True)
class Spread:
    """A number over the exams where it is defined; the interval is that of the mean."""

    mean: Interval
    median: float
    sd: float
    lowest: float
    highest: float
    n: int


def numbers_of(score: StructureScore) -> dict[str, float | None]:
    """Return what is tabled of one structure of one exam.

    Differences are absolute and relative to the truth; the logarithm is that of mL
    (`papers.md` A.2 (c): 4 % of ln 1000 mL is a factor of 1.32 in mL).
    """
    return {
        "dice": score.dice,
        "precision": score.precision,
        "recall": score.recall,
        **dict(zip(NSD, score.nsd, strict=True)),
        "surface_distance_mm": score.surface_distance_mm,
        "adc_difference_percent": _relative(score.adc_um2_s, score.true_adc_um2_s),
        "log_volume_difference_percent": log_difference_percent(
            score.volume_ml, score.true_volume_ml
        ),
    }


def summarise_structures(cases: Sequence[CaseResult]) -> dict[str, dict[str, Spread]]:
    """Return {structure: {number: spread}} of what any exam holds, in the order of tables."""
    found = {}
    for name in NAMES:
        groups = [
            [c.structures[name] for c in g if name in c.structures] for g in by_patient(cases)
        ]
        if any(groups):
            found[name] = summarise_scores(groups)
    return found


def summarise_scores(patients: Sequence[Sequence[StructureScore]]) -> dict[str, Spread]:
    """Return {number: spread} of one structure; a number that no exam defines is left out."""
    rows = [[numbers_of(score) for score in scores] for scores in patients]
    names = dict.fromkeys(name for row in rows for numbers in row for name in numbers)
    spreads = {}
    for name in names:
        values = [[v for numbers in row if (v := numbers[name]) is not None] for row in rows]
        if any(values):
            spreads[name] = spread(values)
    return spreads


def spread(patients: Sequence[Sequence[float]]) -> Spread:
    """Return the spread of values that are grouped by patient; there must be one."""
    values = np.array([v for group in patients for v in group])
    return Spread(
        bootstrap_mean(patients),
        float(np.median(values)),
        float(np.std(values)),
        float(values.min()),
        float(values.max()),
        values.size,
    )


def log_difference_percent(measured_ml: float, true_ml: float) -> float | None:
    """|ln m - ln t| / ln t of mL in percent; None unless both are above 1 mL, so that ln t > 0."""
    if measured_ml <= 1 or true_ml <= 1:
        return None
    return 100 * abs(math.log(measured_ml) - math.log(true_ml)) / math.log(true_ml)


def _relative(measured: float | None, true: float | None) -> float | None:
    if measured is None or not true:
        return None
    return 100 * abs(measured - true) / true
