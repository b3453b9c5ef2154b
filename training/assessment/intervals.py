"""Intervals by the bootstrap over patients (1000 resamples, seeded; `papers.md` B.4).

The percentile intervals of `scipy.stats.bootstrap`, which is not used itself since it warns where
a statistic is undefined in some resamples.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

RESAMPLES = 1000
SEED = 20260101
LEVEL = 0.95

T = TypeVar("T")


@dataclass(frozen=True)
class Interval:
    """A number with its 95 % interval; None where it is undefined.

    The limits are None with fewer than two patients.
    """

    value: float | None
    low: float | None = None
    high: float | None = None


def bootstrap(patients: Sequence[T], statistic: Callable[[Sequence[T]], float]) -> Interval:
    """Return `statistic` of all patients and its percentile interval.

    Whole patients are drawn with replacement, so that exams and lesions of one patient stay
    together. Resamples where the statistic is NaN (no lesion was drawn) are left out.
    """
    value = statistic(patients) if patients else math.nan
    if math.isnan(value) or len(patients) < 2:
        return Interval(None if math.isnan(value) else value)

    drawn = [statistic([patients[i] for i in row]) for row in _draws(len(patients)).tolist()]
    return _interval(value, np.array(drawn))


def bootstrap_mean(patients: Sequence[Sequence[float]]) -> Interval:
    """Return the mean of all patients' values and its interval: `bootstrap`, but quicker."""
    known = [values for values in patients if len(values)]
    sums = np.array([math.fsum(values) for values in known])
    counts = np.array([len(values) for values in known])
    value = float(sums.sum() / counts.sum()) if known else math.nan
    if len(known) < 2:
        return Interval(None if math.isnan(value) else value)

    draws = _draws(len(known))
    return _interval(value, sums[draws].sum(axis=1) / counts[draws].sum(axis=1))


def _draws(n: int) -> NDArray[np.int64]:
    """Positions of the patients of every resample (resample, patient)."""
    return np.random.default_rng(SEED).integers(0, n, (RESAMPLES, n))


def _interval(value: float, drawn: NDArray[np.float64]) -> Interval:
    tail = 50 * (1 - LEVEL)
    low, high = np.nanpercentile(drawn, [tail, 100 - tail])
    return Interval(value, float(low), float(high))
