"""Whether two models differ: paired by patient, unpaired by lesion, corrected for many tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from collections.abc import Sequence


def wilcoxon_p(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Two-sided Wilcoxon signed-rank test of paired values; None where no pair differs."""
    differences = np.subtract(first, second)
    if not np.any(differences):
        return None
    return float(stats.wilcoxon(differences).pvalue)


def mann_whitney_p(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Two-sided Mann-Whitney U test of two groups; None where one is empty."""
    if not (len(first) and len(second)):
        return None
    return float(stats.mannwhitneyu(first, second, alternative="two-sided").pvalue)


def bonferroni(p_values: Sequence[float | None]) -> list[float | None]:
    """Multiply every p value by the number of tests that were made, to at most 1."""
    made = sum(p is not None for p in p_values)
    return [None if p is None else min(1.0, p * made) for p in p_values]
