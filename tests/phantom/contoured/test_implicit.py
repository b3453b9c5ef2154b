from __future__ import annotations

import numpy as np
import pytest

from phantom.contoured.implicit import (
    carved,
    ellipsoid,
    frame_of,
    rod,
    sheet,
    smooth_max,
    smooth_min,
    tube,
)


def at(*points):
    x, y, z = np.array(points, dtype=np.float32).T
    return x, y, z


def test_a_ball_has_its_distance():
    ball = ellipsoid((10, 0, 0), (5, 5, 5))
    assert ball.distance(at((10, 0, 3), (10, 5, 0), (18, 0, 0))) == pytest.approx(
        [-2, 0, 3], abs=1e-4
    )
    assert (ball.low < (5, -5, -5)).all()
    assert (ball.high > (15, 5, 5)).all()


def test_a_tube_is_flat_where_it_is_told_to_be():
    flat = tube([(0, 0, 0), (0, 0, 100)], [(8, 2)], across=(1, 0, 0))
    assert len(flat) == 1
    wide, high = flat[0].distance(at((7.9, 0, 50), (0, 2.1, 50)))
    assert wide < 0 < high
    swollen = rod([(0, 0, 0), (0, 0, 100)], [2, 6])
    assert swollen[0].distance(at((4, 0, 50), (0, 0, 107))) == pytest.approx([0, 1], abs=1e-4)


def test_blends_round_corners_by_a_quarter_of_their_width():
    one, two = np.float32([0, 0, 9]), np.float32([0, 4, 0])
    assert smooth_min(one, two, 4.0) == pytest.approx([-1, 0, 0])
    assert smooth_max(-one, -two, 4.0) == pytest.approx([1, 0, 0])


def test_carving_takes_away():
    shell = carved(ellipsoid((0, 0, 0), (10, 10, 10)), ellipsoid((0, 0, 0), (8, 8, 8)))
    inside, bone, outside = shell.distance(at((0, 0, 0), (9, 0, 0), (11, 0, 0)))
    assert bone < 0 < min(inside, outside)


def test_a_sheet_has_its_outline_and_is_thicker_at_its_rim():
    square = [(-20, -20), (20, -20), (20, 20), (-20, 20)]
    plate = sheet((0, 0, 5), np.eye(3), square, lambda s, t: 0 * s * t, (2.0, 6.0))
    beside, middle, rim, above = plate.distance(at((22, 0, 5), (0, 0, 8), (18.5, 0, 8), (0, 0, 40)))
    assert rim < 0 < min(beside, middle, above)
    bent = sheet((0, 0, 0), np.eye(3), square, lambda s, t: 0.05 * s * s + 0 * t, (2.0, 2.0))
    lifted, flat = bent.distance(at((14, 0, 9.8), (14, 0, 0)))
    assert lifted < 0 < flat


def test_a_frame_leans_forward_and_to_the_left():
    left, back, up = frame_of(forward_deg=30, left_deg=20)
    assert up[1] == pytest.approx(-0.5)
    assert up[0] > 0.2
    assert np.stack([left, back, up]) @ np.stack([left, back, up]).T == pytest.approx(np.eye(3))
    assert np.linalg.det(np.stack([left, back, up])) == pytest.approx(1)
    turned = frame_of(turn_deg=90)
    assert turned[1] == pytest.approx([-1, 0, 0])
