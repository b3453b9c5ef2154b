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


def test_an_l_shape_is_as_long_as_from_tip_to_tip():
    # Arms of 9 columns and 9 rows of 2 mm: the tips' centres are 16 and 16 mm apart.
    index = [(0, 0, c) for c in range(9)] + [(0, r, 0) for r in range(9)]
    expected = np.hypot(16, 16) + 2.0
    assert diameter_mm(np.array(index), GRID) == pytest.approx(expected)


def test_a_ball_of_anisotropic_voxels_keeps_volume_and_diameter():
    grid = Geometry.axial((21, 61, 61), (5.0, 1.6, 1.6), (0.0, 0.0, 0.0))
    middle = np.array(grid.shape) // 2
    from_middle = np.moveaxis(np.indices(grid.shape), 0, -1) - middle
    radius = np.linalg.norm(from_middle * grid.spacing_mm, axis=-1)
    ball = radius <= 25.0
    volume_ml = np.count_nonzero(ball) * grid.voxel_volume_ml
    assert volume_ml == pytest.approx(4 / 3 * np.pi * 25**3 / 1000, rel=0.02)
    # A voxel at each end is 1.6 to 5 mm long, and half of it may lie outside.
    assert diameter_mm(np.argwhere(ball), grid) == pytest.approx(50.0, abs=5.0)


def test_the_diameter_does_not_depend_on_how_the_grid_is_turned():
    index = np.array([(0, 0, 0), (3, 2, 5), (1, 7, 2)])
    turned = Geometry(GRID.shape, _rotation(0.7) @ GRID.affine)
    assert diameter_mm(index, turned) == pytest.approx(diameter_mm(index, GRID))


def _rotation(angle):
    matrix = np.eye(4)
    matrix[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return matrix
