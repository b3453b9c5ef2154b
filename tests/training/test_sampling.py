from __future__ import annotations

import numpy as np
import pytest

from training.sampling import choose_centre, cut, index_case


def test_a_patch_is_moved_inside_the_body():
    array = np.arange(10 * 10 * 10).reshape(10, 10, 10)
    assert np.array_equal(cut(array, (0, 5, 99), (4, 4, 4)), array[0:4, 3:7, 6:10])


def test_a_patch_larger_than_the_body_holds_it_whole_among_zeros():
    array = np.ones((2, 3, 3, 3))
    patch = cut(array, (1, 1, 1), (5, 3, 4))
    assert patch.shape == (2, 5, 3, 4)
    assert patch.sum() == array.sum()
    assert patch[:, 1:4, :, 0:3].all()


@pytest.mark.parametrize(("share", "label"), [(1.0, 17), (1.0, 15)])
def test_a_share_of_the_patches_aims_at_structures(cases, share, label):
    indexed = index_case(cases[0])
    rng = np.random.default_rng(0)
    centres = np.array([choose_centre(indexed, share, rng) for _ in range(200)])
    column = 19 if label == 17 else 7
    near = np.abs(centres[:, 2] - column) <= 12
    assert near.mean() > 0.4
