"""A body that lies elsewhere, turned, is found again; one that is another is told."""

from __future__ import annotations

import numpy as np
import pytest

from imaging.follow_up_registration import FollowUpRegistration, register_studies, rigid_start
from tests.imaging.labelled_body import study_images


@pytest.fixture(scope="module")
def moved():
    now = study_images([], offset_mm=(6.0, -5.0, 35.0), turn_deg=6.0)
    return now, study_images([])


def place_now(point):
    """Where a place of the body lies in `moved`'s study, as the test turned it."""
    c, s = np.cos(np.deg2rad(6.0)), np.sin(np.deg2rad(6.0))
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]).T @ point + [6.0, -5.0, 35.0]


PLACES = [(0.0, 40.0, 240.0), (-60.0, 10.0, 140.0), (60.0, 10.0, 60.0), (0.0, 0.0, 560.0)]


def test_the_middles_of_the_bones_give_the_rigid_map(moved):
    start = rigid_start(*moved)
    for place in PLACES:
        found = start[:3, :3] @ place_now(np.array(place)) + start[:3, 3]
        assert np.linalg.norm(found - place) < 2.0  # half a voxel of the finest axis
    assert np.allclose(start[:3, :3] @ start[:3, :3].T, np.eye(3))
    assert np.linalg.det(start[:3, :3]) == pytest.approx(1)


@pytest.fixture(scope="module")
def registered(moved):
    return register_studies(*moved, FollowUpRegistration())


def test_the_warp_takes_places_of_the_body_to_themselves(registered):
    warp, quality = registered
    here = np.array([place_now(np.array(place)) for place in PLACES])
    apart = np.linalg.norm(warp.moved_mm(here) - PLACES, axis=1)
    assert apart.max() < 4.0  # a voxel in the plane
    assert quality.accepted
    assert quality.skeleton_dice > 0.8
    assert 30 < quality.moved_mm < 50


def test_equal_studies_give_equal_warps(moved, registered):
    first, second = registered[0], register_studies(*moved, FollowUpRegistration())[0]
    assert np.array_equal(first.matrix, second.matrix)
    assert np.array_equal(first.displacement_mm, second.displacement_mm)


def test_bones_that_do_not_agree_are_not_accepted(moved):
    now, earlier = moved
    rolled = np.roll(earlier.labels, 30, axis=0)
    other = type(earlier)(**{**vars(earlier), "labels": np.where(rolled, 1, 0).astype(np.uint8)})
    _, quality = register_studies(now, other, FollowUpRegistration())
    assert not quality.accepted
    assert quality.skeleton_dice < quality.smallest_dice
