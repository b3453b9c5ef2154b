"""Tubes with known length, section and line, and what is no tube."""

import numpy as np
import pytest

from imaging.canal import canal_problem, canal_shape
from imaging.geometry import Geometry

GRID = Geometry.axial((120, 60, 60), (5.0, 2.5, 2.5), (0.0, 0.0, 0.0))


def tube(first=20, last=100, shift=lambda _: 0):
    """A square tube of 6 by 6 pixels (225 mm²); `shift` moves a slice by columns."""
    mask = np.zeros(GRID.shape, dtype=bool)
    for k in range(first, last):
        start = 20 + shift(k)
        mask[k, 24:30, start : start + 6] = True
    return mask


def codes(mask, grid=GRID):
    problem = canal_problem(canal_shape(mask, grid))
    return None if problem is None else problem.code


def test_a_straight_tube_worked_out_by_hand():
    shape = canal_shape(tube(), GRID)
    assert shape.volume_ml == pytest.approx(80 * 36 * 0.03125)
    assert shape.length_mm == pytest.approx(400.0)
    assert shape.share_of_images == pytest.approx(80 / 120)
    assert shape.section_mm2 == pytest.approx(225.0)
    assert (shape.largest_share, shape.filled) == (1.0, 1.0)
    assert shape.straightness == pytest.approx(1.0)
    assert canal_problem(shape) is None


def test_a_tube_that_leans_by_45_degrees_is_still_a_spine():
    wide = Geometry.axial((60, 60, 120), (5.0, 2.5, 2.5), (0.0, 0.0, 0.0))
    mask = np.zeros(wide.shape, dtype=bool)
    for k in range(10, 50):  # two columns a slice: 5 mm aside for 5 mm up
        mask[k, 24:30, 2 * k : 2 * k + 6] = True
    assert canal_shape(mask, wide).straightness == pytest.approx(np.sqrt(0.5))
    assert codes(mask, wide) is None


def test_slices_from_head_to_feet_have_the_same_shape():
    affine = GRID.affine.copy()
    affine[:3, 0] *= -1
    turned = Geometry(GRID.shape, affine)
    assert canal_shape(tube(), turned) == canal_shape(tube(), GRID)


@pytest.mark.parametrize(
    ("mask", "code"),
    [
        (tube() & False, "CANAL_VOLUME"),
        (tube() | True, "CANAL_VOLUME"),
        (tube(20, 45), "CANAL_SHORT"),
        # Two halves, 12 slices (60 mm) apart.
        (tube(20, 60) | tube(72, 112), "CANAL_PARTS"),
        # It swings 80 mm aside and back on 40 mm each.
        (tube(22, 102, lambda k: 4 * abs(k % 16 - 8)), "CANAL_CROOKED"),
    ],
)
def test_what_is_no_tube_is_named(mask, code):
    assert codes(mask) == code


def test_a_tube_too_thick_or_too_thin_is_named():
    thick = np.zeros(GRID.shape, dtype=bool)
    thick[40:80, 20:33, 20:33] = True  # 169 pixels, 1056 mm², 211 mL
    assert codes(thick) == "CANAL_SECTION"
    thin = np.zeros(GRID.shape, dtype=bool)
    thin[2:118, 24:27, 24:27] = True  # 9 pixels, 56 mm², 33 mL
    assert codes(thin) == "CANAL_SECTION"


def test_a_gap_of_a_few_slices_does_not_break_the_canal_but_many_do():
    gap = tube(20, 60) | tube(64, 110)  # 20 mm
    assert canal_shape(gap, GRID).largest_share == 1.0
    assert canal_shape(gap, GRID).length_mm == pytest.approx(450.0)
    assert codes(gap) is None
    often = tube()
    often[22:98:3] = False
    assert codes(often) == "CANAL_BROKEN"


def test_a_piece_far_away_counts_by_its_share():
    mask = tube()
    mask[110:118, 0:6, 0:6] = True  # 288 of 3168 voxels
    shape = canal_shape(mask, GRID)
    assert shape.largest_share == pytest.approx(80 / 88)
    assert shape.length_mm == pytest.approx(400.0)
    assert codes(mask) is None
