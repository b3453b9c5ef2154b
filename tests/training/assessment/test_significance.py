from __future__ import annotations

import pytest

from training.assessment.significance import bonferroni, mann_whitney_p, wilcoxon_p


def test_wilcoxon_by_hand():
    # Five pairs that all rise: 2 of the 2^5 sign patterns are as extreme.
    assert wilcoxon_p([1, 2, 3, 4, 5], [2, 4, 6, 8, 10]) == pytest.approx(2 / 32)
    assert wilcoxon_p([1, 2], [1, 2]) is None


def test_mann_whitney_by_hand():
    # Three below three: 2 of the 20 ways to choose three of six are as extreme.
    assert mann_whitney_p([1, 2, 3], [4, 5, 6]) == pytest.approx(2 / 20)
    assert mann_whitney_p([], [1.0]) is None


def test_bonferroni_counts_what_was_tested():
    assert bonferroni([0.01, None, 0.4, 0.5]) == [pytest.approx(0.03), None, 1.0, 1.0]
