from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imaging.tiling import slabs


@settings(deadline=None)
@given(data=st.data(), n=st.integers(1, 400), size=st.integers(1, 128))
def test_weights_sum_to_one_at_every_slice(data, n, size):
    overlap = data.draw(st.integers(0, size - 1))
    total = np.zeros(n)
    parts = slabs(n, size, overlap)
    for slab in parts:
        assert slab.weights.shape == (slab.stop - slab.start,)
        assert slab.stop - slab.start == min(size, n)
        assert (slab.weights > 0).all()
        total[slab.start : slab.stop] += slab.weights
    np.testing.assert_allclose(total, 1.0, atol=1e-6)
    for before, after in pairwise(parts):
        assert before.start < after.start
        assert before.stop - after.start >= overlap


def test_a_short_body_is_one_slab():
    (slab,) = slabs(80, 96, 24)
    assert (slab.start, slab.stop) == (0, 80)
    assert (slab.weights == 1).all()


def test_ramps_worked_out_by_hand():
    # 10 slices, slabs of 6 that share 2: the ramps are 1/3, 2/3.
    first, second = slabs(10, 6, 2)
    assert (first.start, first.stop, second.start, second.stop) == (0, 6, 4, 10)
    np.testing.assert_allclose(first.weights, [1, 1, 1, 1, 2 / 3, 1 / 3], rtol=1e-6)
    np.testing.assert_allclose(second.weights, [1 / 3, 2 / 3, 1, 1, 1, 1], rtol=1e-6)


@pytest.mark.parametrize(("n", "size", "overlap"), [(0, 4, 1), (10, 4, 4), (10, 4, -1)])
def test_what_cannot_be_covered_is_refused(n, size, overlap):
    with pytest.raises(ValueError, match="cannot cover"):
        slabs(n, size, overlap)
