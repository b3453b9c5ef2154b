"""What one patient's exams say about lesions (`papers.md` B.4); None where undefined.

Empty cases follow Metrics Reloaded: no lesion leaves sensitivity undefined; no prediction is
precision 0 beside lesions and undefined without them; F2 is 1 where there is neither lesion nor
prediction, 0 where there is only one of the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from training.scoring.case import CaseResult
    from training.scoring.lesions import ExamLesions

MEASURABLE_ML = 1.0
"""From this volume on a lesion is measurable (a sphere of 12.4 mm)."""


@dataclass(frozen=True)
class Counts:
    """Lesions, those detected, predictions, those that are true; of `exams` exams."""

    lesions: int
    detected: int
    predictions: int
    true_predictions: int
    exams: int

    @property
    def sensitivity(self) -> float | None:
        """Share of the lesions that a prediction touches."""
        return self.detected / self.lesions if self.lesions else None

    @property
    def precision(self) -> float | None:
        """Share of the predictions that touch a lesion."""
        if self.predictions:
            return self.true_predictions / self.predictions
        return 0.0 if self.lesions else None

    @property
    def false_per_exam(self) -> float:
        """Predictions that touch no lesion, per exam."""
        return (self.predictions - self.true_predictions) / self.exams

    @property
    def f2(self) -> float:
        """5PR / (4P + R)."""
        precision, recall = self.precision, self.sensitivity
        if precision is None and recall is None:
            return 1.0
        if not precision or not recall:
            return 0.0
        return 5 * precision * recall / (4 * precision + recall)


def count(exams: Sequence[ExamLesions], from_ml: float = 0.0) -> Counts:
    """Count lesions and predictions of at least `from_ml`.

    A small prediction may detect a large lesion, and a large prediction may be true by a small
    lesion: the size limits who is counted, not who is matched.
    """
    lesions = [le for e in exams for le in e.lesions if le.volume_ml >= from_ml]
    predictions = [p for e in exams for p in e.predictions if p.volume_ml >= from_ml]
    return Counts(
        len(lesions),
        sum(le.detected for le in lesions),
        len(predictions),
        sum(p.true for p in predictions),
        len(exams),
    )


def mean_lesion_dice(exams: Sequence[ExamLesions]) -> float | None:
    """Mean Dice over a patient's lesions, a missed one counting 0; None without lesions."""
    scores = [le.dice or 0.0 for e in exams for le in e.lesions]
    return sum(scores) / len(scores) if scores else None


def by_patient(cases: Iterable[CaseResult]) -> list[tuple[CaseResult, ...]]:
    """Group exams by patient, in the order in which patients come."""
    groups: dict[str, list[CaseResult]] = {}
    for case in cases:
        groups.setdefault(case.patient, []).append(case)
    return [tuple(group) for group in groups.values()]
