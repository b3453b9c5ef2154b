"""The probability threshold: the one with the best mean F2 on predictions of held-out patients."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from training.assessment.froc import froc_of_points
from training.assessment.patients import Counts
from training.errors import TrainingError
from training.scoring.lesions import count_detections
from training.scoring.surfaces import union_box

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from imaging.geometry import Geometry
    from training.assessment.froc import FrocCurve
    from training.folds import Folds

THRESHOLDS: tuple[float, ...] = tuple(k / 20 for k in range(1, 20))


@dataclass(frozen=True)
class HeldOutCounts:
    """A case, the fold of the model that predicted it, and its counts at every threshold."""

    case: str
    model_fold: int
    counts: tuple[Counts, ...]


@dataclass(frozen=True)
class OperatingPoint:
    """The chosen threshold, its mean patient F2, and the mean F2 at every threshold."""

    threshold: float
    f2: float
    f2_by_threshold: tuple[tuple[float, float], ...]


def counts_by_threshold(
    probability: NDArray[np.float32],
    truth: NDArray[np.bool_],
    geometry: Geometry,
    thresholds: Sequence[float] = THRESHOLDS,
) -> tuple[Counts, ...]:
    """Cut a probability map (slice, row, column) at every threshold and count detections."""
    box = union_box(truth, probability >= min(thresholds))
    if box is None:
        return (Counts(0, 0, 0, 0, 1),) * len(thresholds)
    chance, true = probability[box], np.ascontiguousarray(truth[box])
    grid = geometry.crop(
        (box[0].start, box[1].start, box[2].start), (box[0].stop, box[1].stop, box[2].stop)
    )
    found = [count_detections(true, chance >= threshold, grid) for threshold in thresholds]
    return tuple(Counts(*numbers, exams=1) for numbers in found)


def choose_threshold(
    predictions: Sequence[HeldOutCounts], folds: Folds, thresholds: Sequence[float] = THRESHOLDS
) -> OperatingPoint:
    """Choose the threshold with the largest mean patient F2; of equal ones the highest.

    Raises:
        TrainingError: `FOLDS`, a case was predicted by a model that was fitted on its patient,
            is in no fold, or is missing.

    """
    _refuse_seen(predictions, folds)
    patients: dict[str, list[HeldOutCounts]] = {}
    for prediction in predictions:
        patients.setdefault(folds.patient_of[prediction.case], []).append(prediction)
    means = []
    for k, threshold in enumerate(thresholds):
        scores = [_sum([exam.counts[k] for exam in exams]).f2 for exams in patients.values()]
        means.append((threshold, math.fsum(scores) / len(scores)))
    threshold, f2 = max(means, key=lambda pair: (round(pair[1], 12), pair[0]))
    return OperatingPoint(threshold, f2, tuple(means))


def froc_by_threshold(predictions: Sequence[HeldOutCounts]) -> FrocCurve:
    """Return the curve that moving the threshold makes, over all lesions of all exams."""
    pooled = [_sum(list(at)) for at in zip(*(p.counts for p in predictions), strict=True)]
    none = math.nan
    return froc_of_points(
        np.array([c.false_per_exam for c in pooled]),
        np.array([none if c.sensitivity is None else c.sensitivity for c in pooled]),
    )


def _sum(counts: Sequence[Counts]) -> Counts:
    return Counts(
        sum(c.lesions for c in counts),
        sum(c.detected for c in counts),
        sum(c.predictions for c in counts),
        sum(c.true_predictions for c in counts),
        sum(c.exams for c in counts),
    )


def _refuse_seen(predictions: Sequence[HeldOutCounts], folds: Folds) -> None:
    strangers = [p.case for p in predictions if p.case not in folds.fold_of]
    if strangers:
        raise TrainingError(f"{strangers[0]} is in no fold", code="FOLDS")
    seen = [p.case for p in predictions if folds.fold_of[p.case] != p.model_fold]
    if seen:
        message = (
            f"{seen[0]} was predicted by a model that was fitted on its patient; predict every "
            "case with the model of its own fold"
        )
        raise TrainingError(message, code="FOLDS")
    if {p.case for p in predictions} != set(folds.fold_of) or len(predictions) != len(
        folds.fold_of
    ):
        message = "every case of the folds must be predicted once before a threshold is chosen"
        raise TrainingError(message, code="FOLDS")
