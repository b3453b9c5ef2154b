from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from training.assessment.intervals import SEED, Interval, bootstrap, bootstrap_mean


def mean(values):
    return float(np.mean(values))


def test_the_seed_decides():
    values = np.random.default_rng(0).normal(5, 1, 30).tolist()
    found = bootstrap(values, mean)
    assert found == bootstrap(values, mean)
    assert found.value == pytest.approx(np.mean(values))
    # The standard error of the mean is its SD over the root of n.
    half = 1.96 * np.std(values) / math.sqrt(30)
    assert found.low == pytest.approx(found.value - half, abs=0.1)
    assert found.high == pytest.approx(found.value + half, abs=0.1)


def test_the_quick_mean_is_the_slow_one():
    values = np.random.default_rng(1).random(12).tolist()
    quick = bootstrap_mean([[v] for v in values])
    slow = bootstrap(values, mean)
    assert (quick.value, quick.low, quick.high) == pytest.approx((slow.value, slow.low, slow.high))


def test_as_scipy_draws():
    values = np.random.default_rng(2).exponential(1, 25)
    found = bootstrap(values.tolist(), lambda v: float(np.median(v)))
    expected = stats.bootstrap(
        (values,), np.median, n_resamples=1000, method="percentile",
        rng=np.random.default_rng(SEED),
    ).confidence_interval  # fmt: skip
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_patients_are_drawn_whole():
    # One patient with a hundred exams of 0, one with a single exam of 1: a resample has either
    # one, the other or both, so that nothing between 1/101 and 1 can come out.
    found = bootstrap_mean([[0.0] * 100, [1.0]])
    assert found == Interval(pytest.approx(1 / 101), 0.0, 1.0)


def test_one_patient_has_no_interval_and_nothing_has_no_value():
    assert bootstrap([3.0], mean) == bootstrap_mean([[3.0]]) == Interval(3.0)
    assert bootstrap([], mean) == bootstrap_mean([[], []]) == Interval(None)
    assert bootstrap([1.0, 2.0], lambda _: math.nan) == Interval(None)


def test_resamples_where_it_is_undefined_are_left_out():
    found = bootstrap([1.0, math.nan, 3.0], lambda v: float(np.nanmean([math.nan, *v])) if
                      np.isfinite(v).any() else math.nan)  # fmt: skip
    assert (found.value, found.low, found.high) == (2.0, 1.0, 3.0)
