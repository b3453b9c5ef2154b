from __future__ import annotations

import numpy as np
import pytest

from phantom.shapes import curve, mirrored, plate, rotation, tube


def test_a_curve_passes_its_ends_and_steps_evenly():
    points = curve([(0, 0, 0), (10, 0, 0), (30, 0, 0)], 31)
    assert points[0].tolist() == [0, 0, 0]
    assert points[-1].tolist() == [30, 0, 0]
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    assert steps == pytest.approx(np.ones(30), abs=0.05)


def test_a_tube_has_beads_closer_than_half_its_radius_and_spreads_radii():
    beads = tube(3, [(0, 0, 0), (0, 0, 60)], [4.0, 8.0])
    gaps = np.linalg.norm(np.diff(beads.centres, axis=0), axis=1)
    assert gaps.max() < 2.0
    assert beads.radii[0] == 4.0
    assert beads.radii[-1] == 8.0
    assert beads.code == 3


def test_a_plate_spans_its_net():
    beads = plate(1, [[(0, 0, 0), (20, 0, 0)], [(0, 0, 30), (20, 0, 30)]], [[3, 3], [5, 5]])
    assert beads.centres.min(axis=0) == pytest.approx([0, 0, 0], abs=1e-6)
    assert beads.centres.max(axis=0) == pytest.approx([20, 0, 30], abs=1e-6)
    assert (beads.radii.min(), beads.radii.max()) == (3.0, 5.0)


def test_rotation_turns_x_to_y_about_z():
    assert rotation(0, 0, 90) @ [1, 0, 0] == pytest.approx([0, 1, 0])


def test_left_is_positive_x():
    assert mirrored([(5, 1, 2)], -1).tolist() == [[-5, 1, 2]]
