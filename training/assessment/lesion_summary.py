"""Lesions over all patients: the rows of Wuts et al.'s Table 1 (`papers.md` B.4, B.5)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from training.assessment.froc import FIXED_FP_PER_EXAM, froc_by_confidence, rank
from training.assessment.intervals import Interval, bootstrap
from training.assessment.patients import MEASURABLE_ML, by_patient, count, mean_lesion_dice
from training.assessment.reliability import icc_2_1
from training.scoring.surfaces import TOLERANCES_MM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from training.assessment.froc import Ranked
    from training.scoring.case import CaseResult
    from training.scoring.lesions import ExamLesions

    Patient = Sequence[ExamLesions]

AREA_TO = {0.0: 15.0, MEASURABLE_ML: 4.0}
"""Up to how many false positives per exam the area runs, by the smallest volume that counts."""
SIZES_ML = (0.0, 0.25, 0.5, 1.0, 2.0, 5.0)


@dataclass(frozen=True)
class LesionNumber:
    """One number with its interval; `n` of `unit` (patients or lesions) define it."""

    name: str
    interval: Interval
    n: int
    unit: str


@dataclass(frozen=True)
class SizeRow:
    """Lesions and predictions of at least `from_ml`, over all exams."""

    from_ml: float
    lesions: int
    sensitivity: float | None
    predictions: int
    precision: float | None
    false_per_exam: float


def summarise_lesions(cases: Sequence[CaseResult], from_ml: float = 0.0) -> dict[str, LesionNumber]:
    """Return every number for lesions and predictions of at least `from_ml`."""
    patients = [tuple(c.lesions for c in group) for group in by_patient(cases)]
    numbers = [
        *_detection(patients, from_ml),
        *_froc(patients, from_ml),
        *_delineation([[_only(exam, from_ml) for exam in exams] for exams in patients]),
    ]
    return {number.name: number for number in numbers}


def by_size(cases: Sequence[CaseResult]) -> list[SizeRow]:
    """Return cumulative counts over sizes: truth for sensitivity, predictions for the rest."""
    exams = [case.lesions for case in cases]
    counts = [(ml, count(exams, ml)) for ml in SIZES_ML]
    return [
        SizeRow(ml, c.lesions, c.sensitivity, c.predictions, c.precision, c.false_per_exam)
        for ml, c in counts
    ]


def burden_ml(exams: Patient) -> tuple[float, float]:
    """Return a patient's total true and predicted lesion volume."""
    true = math.fsum(le.volume_ml for e in exams for le in e.lesions)
    return true, math.fsum(p.volume_ml for e in exams for p in e.predictions)


def _detection(patients: Sequence[Patient], from_ml: float) -> list[LesionNumber]:
    counts = [count(exams, from_ml) for exams in patients]
    found, exist = [c.detected for c in counts], [c.lesions for c in counts]
    pooled = bootstrap(list(zip(found, exist, strict=True)), _ratio)
    return [
        *_centre("sensitivity", [c.sensitivity for c in counts]),
        LesionNumber("sensitivity_of_all_lesions", pooled, sum(exist), "lesions"),
        *_centre("precision", [c.precision for c in counts]),
        *_centre("false_positives_per_exam", [c.false_per_exam for c in counts]),
        *_centre("f2", [c.f2 for c in counts]),
    ]


def _froc(patients: Sequence[Patient], from_ml: float) -> list[LesionNumber]:
    ranked = [rank(exams, from_ml) for exams in patients]
    n = sum(r.best.size for r in ranked)
    limit = AREA_TO.get(from_ml, AREA_TO[0.0])

    def area(drawn: Sequence[Ranked]) -> float:
        return froc_by_confidence(drawn).area(limit)

    def at(fp: float) -> Callable[[Sequence[Ranked]], float]:
        return lambda drawn: froc_by_confidence(drawn).sensitivity_at(fp)

    return [
        LesionNumber("froc_area", bootstrap(ranked, area), n, "lesions"),
        *(
            LesionNumber(f"sensitivity_at_{fp:g}", bootstrap(ranked, at(fp)), n, "lesions")
            for fp in FIXED_FP_PER_EXAM
        ),
    ]


def _delineation(patients: Sequence[Patient]) -> list[LesionNumber]:
    found = [[le for e in exams for le in e.lesions if le.detected] for exams in patients]
    dice = [[le.dice for le in lesions if le.dice is not None] for lesions in found]
    nsd = [[le.nsd for le in lesions if le.nsd is not None] for lesions in found]
    burdens = [burden_ml(exams) for exams in patients]
    overlaps = [(2 * _shared_ml(p), sum(b)) for p, b in zip(patients, burdens, strict=True)]
    n = len(patients)
    return [
        _pooled_median("dice_of_detected", dice),
        *(
            _pooled_median(f"nsd_{mm:g}_mm_of_detected", [[v[k] for v in p] for p in nsd])
            for k, mm in enumerate(TOLERANCES_MM)
        ),
        *_centre("patient_lesion_dice", [mean_lesion_dice(exams) for exams in patients]),
        LesionNumber("global_dice", bootstrap(overlaps, _ratio), n, "patients"),
        LesionNumber("icc_2_1_of_burden", bootstrap(burdens, _icc), n, "patients"),
    ]


def _centre(name: str, values: Iterable[float | None]) -> list[LesionNumber]:
    """Return median and mean over the patients where it is defined."""
    known = [v for v in values if v is not None]
    n = len(known)
    return [
        LesionNumber(
            f"{name}_median", bootstrap(known, lambda v: float(np.median(v))), n, "patients"
        ),
        LesionNumber(f"{name}_mean", bootstrap(known, lambda v: float(np.mean(v))), n, "patients"),
    ]


def _pooled_median(name: str, patients: Sequence[Sequence[float]]) -> LesionNumber:
    def median(drawn: Sequence[Sequence[float]]) -> float:
        values = [v for group in drawn for v in group]
        return float(np.median(values)) if values else math.nan

    n = sum(len(values) for values in patients)
    return LesionNumber(f"{name}_median", bootstrap(patients, median), n, "lesions")


def _ratio(pairs: Sequence[tuple[float, float]]) -> float:
    whole = math.fsum(b for _, b in pairs)
    return math.fsum(a for a, _ in pairs) / whole if whole else math.nan


def _icc(pairs: Sequence[tuple[float, float]]) -> float:
    return icc_2_1(np.array(pairs, dtype=np.float64))


def _shared_ml(exams: Patient) -> float:
    return math.fsum(ml for exam in exams for _, _, ml in exam.shared_ml)


def _only(exam: ExamLesions, from_ml: float) -> ExamLesions:
    """Keep lesions and predictions of at least `from_ml`, with what the kept ones share."""
    lesions, predictions = exam.lesions, exam.predictions
    return type(exam)(
        tuple(le for le in lesions if le.volume_ml >= from_ml),
        tuple(p for p in predictions if p.volume_ml >= from_ml),
        tuple(
            (i, k, ml)
            for i, k, ml in exam.shared_ml
            if lesions[i].volume_ml >= from_ml and predictions[k].volume_ml >= from_ml
        ),
    )
