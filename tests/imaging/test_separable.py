from itertools import permutations, product

import numpy as np
import pytest

from imaging.geometry import Geometry
from imaging.resampling import resample
from imaging.separable import apply_maps, axis_maps, linear_weights

ORIENTATIONS = list(product(permutations(range(3)), product((1, -1), repeat=3)))


def turned_grid(shape, spacing_mm, axes, signs, centre_mm):
    affine = np.zeros((4, 4))
    affine[3, 3] = 1
    for axis, (direction, sign) in enumerate(zip(axes, signs, strict=True)):
        affine[direction, axis] = sign * spacing_mm[axis]
    affine[:3, 3] = centre_mm - affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    return Geometry(shape, affine)


@pytest.mark.parametrize(("axes", "signs"), ORIENTATIONS)
def test_all_48_orientations_agree_with_the_general_resampler(axes, signs):
    array = np.random.default_rng(0).random((7, 9, 11)).astype(np.float32) + 1
    source = turned_grid(array.shape, (5.0, 2.0, 3.0), axes, signs, np.zeros(3))
    target = Geometry.axial((9, 10, 12), (2.3, 1.71, 2.17), (-10.9, -8.3, -9.1))
    maps = axis_maps(source, target)
    assert maps is not None
    np.testing.assert_allclose(apply_maps(array, maps), resample(array, source, target), atol=2e-5)


def test_oblique_grids_have_no_maps():
    target = Geometry.axial((5, 5, 5), (2.0, 2.0, 2.0), (0.0, 0.0, 0.0))
    affine = target.affine.copy()
    affine[:3, :3] @= np.array([[1, 0, 0], [0, 0.96, -0.28], [0, 0.28, 0.96]])
    assert axis_maps(Geometry((5, 5, 5), affine), target) is None


def test_linear_weights_by_hand():
    weights = linear_weights(np.array([0.25, -0.5, 2.4, 2.6]), 3, 1.0)
    expected = [[0.75, 0.25, 0], [1, 0, 0], [0, 0, 1], [0, 0, 0]]
    np.testing.assert_allclose(weights, expected, atol=1e-6)


def test_shrinking_averages_over_the_target_voxel():
    # Half-width 2 at position 2: distances 2 1 0 1 2 -> 0 1/2 1 1/2 0, divided by 2.
    weights = linear_weights(np.array([2.0]), 5, 2.0)
    np.testing.assert_allclose(weights, [[0, 0.25, 0.5, 0.25, 0]])


def test_a_finer_pattern_than_the_target_does_not_alias():
    checks = np.indices((4, 60, 60)).sum(axis=0) % 2
    source = Geometry.axial((4, 60, 60), (5.0, 1.0, 1.0), (0.0, 0.0, 0.0))
    target = Geometry.axial((4, 20, 20), (5.0, 3.0, 3.0), (0.0, 1.0, 1.0))
    maps = axis_maps(source, target)
    shrunk = apply_maps(checks.astype(np.float32), maps)
    assert np.abs(shrunk - 0.5).max() < 0.1
