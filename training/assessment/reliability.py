"""Agreement of two ways to measure: ICC(2,1), Bland-Altman limits, Gwet's AC1."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_LIMITS_SD = 1.96


def icc_2_1(ratings: NDArray[np.float64]) -> float:
    """ICC(2,1) of (subject, rater): two-way random effects, absolute agreement, one rater.

    Shrout & Fleiss 1979. NaN with fewer than two subjects or where nothing varies.
    """
    n, k = ratings.shape
    if n < 2 or k < 2 or np.ptp(ratings) == 0:
        return math.nan
    grand = ratings.mean()
    subjects, raters = ratings.mean(axis=1), ratings.mean(axis=0)
    of_subjects = k * np.sum((subjects - grand) ** 2) / (n - 1)
    of_raters = n * np.sum((raters - grand) ** 2) / (k - 1)
    left = ratings - subjects[:, None] - raters[None, :] + grand
    error = np.sum(left**2) / ((n - 1) * (k - 1))
    return float(
        (of_subjects - error) / (of_subjects + (k - 1) * error + k * (of_raters - error) / n)
    )


@dataclass(frozen=True)
class BlandAltman:
    """Mean difference and its 95 % limits of agreement (bias ± 1.96 SD, SD with n - 1)."""

    n: int
    bias: float
    low: float
    high: float


def bland_altman(differences: Sequence[float]) -> BlandAltman | None:
    """Return bias and limits of the differences measured - true; None below two of them."""
    if len(differences) < 2:
        return None
    bias = float(np.mean(differences))
    half = _LIMITS_SD * float(np.std(differences, ddof=1))
    return BlandAltman(len(differences), bias, bias - half, bias + half)


def gwet_ac1(ratings: NDArray[np.integer[Any]], n_categories: int) -> float:
    """Gwet's AC1 of (subject, rater) grades 0..`n_categories` - 1, for a reader study.

    Gwet 2008: chance agreement from how often each grade is used over all raters. NaN without
    subjects.

    Raises:
        ValueError: fewer than two raters or two categories, or a grade outside the range.

    """
    n, k = ratings.shape
    if k < 2 or n_categories < 2:
        raise ValueError("AC1 needs two raters and two categories or more")
    if n == 0:
        return math.nan
    if ratings.min() < 0 or ratings.max() >= n_categories:
        raise ValueError(f"grades must lie in 0..{n_categories - 1}")
    counts = np.stack([(ratings == q).sum(axis=1) for q in range(n_categories)], axis=1)
    observed = float((counts * (counts - 1)).sum(axis=1).mean()) / (k * (k - 1))
    share = counts.mean(axis=0) / k
    chance = float((share * (1 - share)).sum()) / (n_categories - 1)
    return float((observed - chance) / (1 - chance))
