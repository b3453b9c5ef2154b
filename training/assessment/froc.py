"""Free-response ROC: sensitivity against false positives per exam, as steps.

Two ways to move along the curve, and a table must say which: the confidence of predictions that
were cut once (`froc_by_confidence`), or the threshold that cuts them (`froc_of_points`).
MONAI's `compute_froc_curve_data` is not used: it leaves out the point at the lowest confidence,
where every prediction counts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from training.scoring.lesions import ExamLesions

FIXED_FP_PER_EXAM = (0.2, 0.5)
"""Where the authors plan to read the curve (`papers.md` B.6)."""


@dataclass(frozen=True)
class FrocCurve:
    """Operating points by rising false positives per exam; sensitivity never falls.

    Between two points the curve is flat: only what a cut can reach counts. Beyond the last point
    it stays where it is.
    """

    fp_per_exam: tuple[float, ...]
    sensitivity: tuple[float, ...]

    def sensitivity_at(self, fp_per_exam: float) -> float:
        """Return the best sensitivity with at most `fp_per_exam`; NaN without lesions."""
        last = int(np.searchsorted(self.fp_per_exam, fp_per_exam + 1e-12, side="right")) - 1
        return self.sensitivity[last]

    def area(self, to_fp_per_exam: float) -> float:
        """Return the area from 0 to `to_fp_per_exam`, at most that number; NaN without lesions."""
        edges = np.minimum([*self.fp_per_exam, np.inf], to_fp_per_exam)
        return float(np.sum(np.diff(edges) * np.array(self.sensitivity)))


@dataclass(frozen=True, eq=False)
class Ranked:
    """Each lesion's best confidence (-inf if missed), and those of the false positives."""

    best: NDArray[np.float64]
    false: NDArray[np.float64]
    exams: int


def rank(exams: Sequence[ExamLesions], from_ml: float = 0.0) -> Ranked:
    """Collect confidences.

    Lesions of at least `from_ml` count for sensitivity, whatever the size of what detects them;
    predictions of at least `from_ml` count as false positives.
    """
    lesions = [le for e in exams for le in e.lesions if le.volume_ml >= from_ml]
    predictions = [p for e in exams for p in e.predictions if p.volume_ml >= from_ml]
    best = [-np.inf if le.confidence is None else le.confidence for le in lesions]
    false = [p.confidence for p in predictions if not p.true]
    return Ranked(np.array(best, dtype=np.float64), np.array(false, dtype=np.float64), len(exams))


def froc_by_confidence(ranked: Sequence[Ranked]) -> FrocCurve:
    """Take the predictions of all exams one after the other, the most confident first."""
    best = np.concatenate([r.best for r in ranked])
    false = np.concatenate([r.false for r in ranked])
    if not best.size:
        return FrocCurve((0.0,), (math.nan,))
    cuts = np.unique(np.concatenate([best[np.isfinite(best)], false]))[::-1]
    cost = _at_least(false, cuts) / sum(r.exams for r in ranked)
    return froc_of_points(cost, _at_least(best, cuts) / best.size)


def froc_of_points(fp_per_exam: NDArray[np.float64], sensitivity: NDArray[np.float64]) -> FrocCurve:
    """Return the curve of operating points in any order: the best sensitivity at each cost.

    A curve starts at (0, 0), where nothing is predicted; without lesions it is NaN throughout.
    """
    order = np.lexsort((sensitivity, fp_per_exam))
    cost = np.concatenate([[0.0], fp_per_exam[order]])
    best = np.maximum.accumulate(np.concatenate([[0.0], sensitivity[order]]))
    if np.isnan(sensitivity).any():
        best = np.full(best.size, np.nan)
    last = np.append(np.diff(cost) > 0, [True])
    return FrocCurve(tuple(cost[last].tolist()), tuple(best[last].tolist()))


def _at_least(values: NDArray[np.float64], cuts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Count the values at or above each cut."""
    below = np.searchsorted(np.sort(values), cuts, side="left")
    return (values.size - below).astype(np.float64)
