from __future__ import annotations

import numpy as np
import pytest

from imaging.geometry import Geometry
from report.orientation import orientation


def _grid(slices: list[float], rows: list[float], columns: list[float]) -> Geometry:
    """A 2 x 3 x 4 grid whose (slice, row, column) axes run along the given LPS vectors in mm."""
    affine = np.eye(4)
    affine[:3, :3] = np.array([slices, rows, columns]).T
    return Geometry((2, 3, 4), affine)


def test_standing_axial_grid_is_left_as_it_is():
    array = np.arange(24).reshape(2, 3, 4)
    turned = orientation(Geometry.axial((2, 3, 4), (5, 2, 3), (0, 0, 0)))
    assert (turned.apply(array) == array).all()
    assert turned.spacing_mm == (5, 2, 3)


def test_slices_from_head_to_feet_are_turned_over():
    array = np.arange(24).reshape(2, 3, 4)
    turned = orientation(_grid([0, 0, -5], [0, 2, 0], [3, 0, 0]))
    assert (turned.apply(array) == array[::-1]).all()


def test_coronal_slices_running_to_the_front_are_reordered():
    # slices to the front (-y), rows to the feet (-z), columns to the left (+x)
    array = np.arange(24).reshape(2, 3, 4)
    turned = orientation(_grid([0, -6, 0], [0, 0, -2], [3, 0, 0]))
    standing = turned.apply(array)
    assert standing.shape == (3, 2, 4)
    assert turned.spacing_mm == (2, 6, 3)
    # head is the first row, back is the first slice: array[slice=0, row=0]
    assert (standing[-1, -1] == array[0, 0]).all()


@pytest.mark.parametrize("tilt_degrees", [-20.0, 20.0])
def test_tilted_slices_go_to_the_nearest_axis(tilt_degrees):
    angle = np.deg2rad(tilt_degrees)
    up = [0.0, 5 * np.sin(angle), 5 * np.cos(angle)]
    back = [0.0, 2 * np.cos(angle), -2 * np.sin(angle)]
    turned = orientation(_grid(up, back, [3, 0, 0]))
    assert turned.order == (0, 1, 2)
    assert turned.flipped == (False, False, False)
    assert turned.spacing_mm == pytest.approx((5, 2, 3))
