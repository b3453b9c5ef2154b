import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imaging.histogram_matching import PERCENTS, REFERENCE, match_histogram


def canal(gain=1.0):
    return (gain * np.random.default_rng(0).gamma(4.0, 20.0, 5000)).astype(np.float32)


def test_percentiles_become_the_reference():
    matched = match_histogram(canal(), canal())
    np.testing.assert_allclose(np.percentile(matched, PERCENTS), REFERENCE, rtol=1e-3)


def test_gain_does_not_matter():
    image = np.linspace(0, 500, 50, dtype=np.float32)
    np.testing.assert_allclose(
        match_histogram(7 * image, canal(7.0)), match_histogram(image, canal()), rtol=1e-5
    )


def test_nothing_stays_nothing_and_what_is_brighter_than_the_canal_keeps_its_contrast():
    top = float(np.percentile(canal(), 95))
    found = match_histogram(np.array([0.0, top, 2 * top, 4 * top], dtype=np.float32), canal())
    np.testing.assert_allclose(found, np.array([0, 1, 2, 4]) * REFERENCE[-1], rtol=1e-5)


def test_the_reference_histogram_maps_to_itself():
    between = np.interp(np.linspace(0, 100, 10001), PERCENTS, REFERENCE).astype(np.float32)
    image = np.array([0.2, 0.511, 0.976, 3.0], dtype=np.float32)
    np.testing.assert_allclose(match_histogram(image, between), image, rtol=2e-3)


@settings(deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=60))
def test_brighter_never_becomes_darker(values):
    # Few whole numbers: many percentiles are equal.
    signal = np.array(values, dtype=np.float32)
    matched = match_histogram(np.linspace(0, 100, 401, dtype=np.float32), signal)
    assert (np.diff(matched) > 0).all()
    assert matched[0] == 0


def test_a_canal_of_one_value_is_a_factor():
    image = np.array([0.0, 5.0, 10.0], dtype=np.float32)
    matched = match_histogram(image, np.full(9, 10.0, dtype=np.float32))
    assert matched == pytest.approx(image / 10 * REFERENCE[-1])
