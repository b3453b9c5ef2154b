import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import pdist

from imaging.geometry import Geometry
from imaging.lesions import diameter_mm, find_lesions

GRID = Geometry.axial((8, 12, 12), (5.0, 2.0, 2.0), (0.0, 0.0, 0.0))  # 0.02 mL a voxel


def mask(*boxes):
    made = np.zeros(GRID.shape, dtype=bool)
    for box in boxes:
        made[tuple(slice(*ends) for ends in box)] = True
    return made


def test_components_are_numbered_by_volume_and_small_ones_left_out():
    small = ((0, 1), (0, 1), (0, 4))  # 4 voxels, 0.08 mL
    least = ((0, 1), (4, 5), (0, 5))  # 5 voxels, 0.1 mL exactly
    large = ((4, 6), (6, 9), (6, 9))  # 18 voxels
    labels = find_lesions(mask(small, least, large), GRID)
    assert labels.dtype == np.uint16
    assert labels.max() == 2
    assert (labels[mask(large)] == 1).all()
    assert (labels[mask(least)] == 2).all()
    assert not labels[mask(small)].any()


def test_voxels_that_share_a_corner_are_one_lesion():
    corner = mask(((0, 1), (0, 2), (0, 2)), ((1, 2), (2, 4), (2, 4)))
    assert find_lesions(corner, GRID).max() == 1


def test_equal_lesions_come_in_the_order_of_the_array():
    labels = find_lesions(mask(((6, 7), (0, 1), (0, 6)), ((1, 2), (8, 9), (0, 6))), GRID)
    assert labels[1, 8, 0] == 1
    assert labels[6, 0, 0] == 2


def test_no_disease_is_no_lesion():
    assert not find_lesions(np.zeros(GRID.shape, dtype=bool), GRID).any()


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        ([(3, 3, 3)], 5.0),  # one voxel: its longest edge
        ([(3, 3, c) for c in range(6)], 12.0),  # a rod of 6 voxels of 2 mm
        ([(s, 3, 3) for s in range(4)], 20.0),
        # Corner to corner in plane: (3, 4) steps of 2 mm = 10 mm, and one voxel of 2 mm more.
        ([(3, 0, 0), (3, 3, 4)], 12.0),
        # One slice and 6 columns away: 13 mm; a voxel along (5, 0, 12) / 13 is
        # sqrt((5·5/13)² + (2·12/13)²) long.
        ([(0, 0, 0), (1, 0, 6)], 13 + np.hypot(25 / 13, 24 / 13)),
    ],
)
def test_diameters_worked_out_by_hand(index, expected):
    assert diameter_mm(np.array(index), GRID) == pytest.approx(expected)


def test_a_ball_is_as_long_as_its_diameter():
    grid = Geometry.axial((81, 81, 81), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0))
    ball = ((np.indices(grid.shape) - 40.0) ** 2).sum(axis=0) <= 35.0**2
    assert diameter_mm(np.argwhere(ball), grid) == pytest.approx(71.0, abs=0.5)


@settings(deadline=None, max_examples=30)
@given(arrays(bool, (4, 5, 6)).filter(lambda m: m.sum() > 1))
def test_the_longest_axis_is_never_missed(blob):
    grid = Geometry.axial(blob.shape, (1.0, 1.0, 1.0), (0.0, 0.0, 0.0))
    index = np.argwhere(blob)
    # With cubic voxels one voxel along any direction is one edge long.
    assert diameter_mm(index, grid) == pytest.approx(pdist(index).max() + 1.0)
