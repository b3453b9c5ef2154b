"""A known affine map and a known smooth warp are found again."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy import ndimage

from imaging.agreement import dice
from imaging.errors import GeometryError
from imaging.geometry import Geometry
from imaging.registration import RegistrationSettings, coarse_image, register
from imaging.warps import Warp, carry, carry_shares

FIXED = Geometry.axial((32, 36, 40), (5.0, 4.0, 4.0), (-80.0, -72.0, 10.0))
MOVING = Geometry.axial((36, 40, 44), (5.0, 4.0, 4.0), (-60.0, -95.0, 120.0))
SETTINGS = RegistrationSettings(spacing_mm=(5.0, 4.0, 4.0))
TURN_DEG = 5.0


def true_map(points):
    """Fixed to moving, mm: bend by up to 6 mm, then turn, stretch and shift."""
    bent = points.copy()
    bent[..., 0] += 6 * np.sin(points[..., 2] / 25)
    bent[..., 1] += 5 * np.cos(points[..., 0] / 30)
    c, s = np.cos(np.deg2rad(TURN_DEG)), np.sin(np.deg2rad(TURN_DEG))
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]]) @ np.diag([1.08, 1.05, 0.95])
    return bent @ turn.T + [28.0, -16.0, 115.0]


def indices(geometry):
    return np.moveaxis(np.indices(geometry.shape), 0, -1).astype(np.float64)


def bodies():
    """Two channels of a moving body with structures, and the fixed one that `true_map` makes."""
    rng = np.random.default_rng(7)
    k, j, i = indices(MOVING).transpose(3, 0, 1, 2)
    inside = ((k - 17.5) / 14) ** 2 + ((j - 19.5) / 14) ** 2 + ((i - 21.5) / 16) ** 2 < 1
    texture = ndimage.gaussian_filter(rng.normal(size=(2, *MOVING.shape)), (0, 2, 2, 2))
    texture /= texture.std()
    moving = np.where(inside, 2 + 0.6 * texture, 0).astype(np.float32)
    labels = np.zeros(MOVING.shape, np.uint8)
    labels[(texture[0] > 0.6) & inside] = 7
    labels[(texture[1] > 1.0) & inside] = 15
    where = MOVING.to_index(true_map(FIXED.to_patient_mm(indices(FIXED)))).transpose(3, 0, 1, 2)
    fixed = np.stack([ndimage.map_coordinates(c, where, order=1) for c in moving])
    truth = ndimage.map_coordinates(labels, where, order=0)
    return fixed, moving, labels, truth


@pytest.fixture(scope="module")
def found():
    fixed, moving, labels, truth = bodies()
    images = [
        coarse_image(a, g, SETTINGS.spacing_mm) for a, g in ((fixed, FIXED), (moving, MOVING))
    ]
    return register(*images, SETTINGS), images, labels, truth


def test_the_true_map_is_found_within_a_voxel(found):
    warp, images, _, _ = found
    body = np.argwhere(ndimage.binary_erosion(images[0].array[0] > 0.5, iterations=2))
    points = FIXED.to_patient_mm(body[::23])
    error = np.linalg.norm(warp.moved_mm(points) - true_map(points), axis=1)
    affine_only = dataclasses.replace(warp, displacement_mm=np.zeros_like(warp.displacement_mm))
    before = np.linalg.norm(affine_only.moved_mm(points) - true_map(points), axis=1)
    assert np.median(error) < 1.0
    assert np.percentile(error, 95) < 4.0  # one voxel
    assert np.median(before) > 3 * np.median(error)


def test_labels_follow(found):
    warp, _, labels, truth = found
    shares = carry_shares(labels, (7, 15), MOVING, warp, FIXED)
    assert shares.shape == (2, *FIXED.shape)
    affine_only = dataclasses.replace(warp, displacement_mm=np.zeros_like(warp.displacement_mm))
    before = carry_shares(labels, (7, 15), MOVING, affine_only, FIXED)
    for n, label in enumerate((7, 15)):
        score = dice(truth == label, shares[n] >= 0.5)
        assert score > 0.86
        assert score > dice(truth == label, before[n] >= 0.5) + 0.15


def test_shares_are_what_itk_makes_of_each_mask(found):
    warp, _, labels, _ = found
    shares = carry_shares(labels, (15, 7), MOVING, warp, FIXED)
    for n, label in enumerate((15, 7)):
        by_itk = carry((labels == label).astype(np.float32), MOVING, warp, FIXED)
        np.testing.assert_allclose(shares[n], by_itk, atol=2e-4)
    with pytest.raises(GeometryError):
        carry_shares(labels[1:], (7,), MOVING, warp, FIXED)


def test_equal_images_give_equal_warps(found):
    warp, images, _, _ = found
    again = register(*images, SETTINGS)
    assert np.array_equal(again.matrix, warp.matrix)
    assert np.array_equal(again.displacement_mm, warp.displacement_mm)


def test_a_body_on_itself_stays_where_it_is(found):
    _, images, _, _ = found
    warp = register(images[0], images[0], SETTINGS)
    points = FIXED.to_patient_mm(np.array([[16, 18, 20], [10, 12, 25]]))
    np.testing.assert_allclose(warp.moved_mm(points), points, atol=0.2)


def shift_by(x_mm):
    matrix = np.eye(4)
    matrix[0, 3] = 2.0
    displacement = np.zeros((*LINE.shape, 3), np.float32)
    displacement[..., 0] = x_mm - 2.0
    return Warp(matrix, displacement, LINE)


LINE = Geometry.axial((1, 1, 6), (5.0, 4.0, 4.0), (0.0, 0.0, 0.0))


def test_shares_by_hand():
    labels = np.array([[[0, 0, 7, 7, 9, 0]]], np.uint8)
    # 3 mm of a 4 mm voxel to the right: a quarter of what is here, three quarters of what is next.
    shares = carry_shares(labels, (7, 9), LINE, shift_by(3.0), LINE)
    np.testing.assert_allclose(shares[0, 0, 0, :5], [0, 0.75, 1, 0.25, 0], atol=1e-6)
    np.testing.assert_allclose(shares[1, 0, 0, :5], [0, 0, 0, 0.75, 0.25], atol=1e-6)


def test_an_image_by_hand():
    image = np.array([[[0, 4, 8, 8, 0, 0]]], np.float32)
    moved = carry(image, LINE, shift_by(2.0), LINE)
    np.testing.assert_allclose(moved[0, 0, :5], [2, 6, 8, 4, 0], atol=1e-6)


def test_no_label_wanted_is_no_share():
    labels = np.zeros(LINE.shape, np.uint8)
    assert carry_shares(labels, (), LINE, shift_by(0.0), LINE).shape == (0, 1, 1, 6)


def test_a_coarse_image_keeps_its_box_and_its_mean():
    fine = Geometry.axial((8, 12, 12), (5.0, 2.5, 2.5), (3.0, 4.0, 5.0))
    array = np.full((1, 8, 12, 12), 2.0, np.float32)
    coarse = coarse_image(array, fine, (10.0, 5.0, 5.0))
    assert coarse.geometry.shape == (4, 6, 6)
    assert coarse.geometry.origin_mm == pytest.approx((4.25, 5.25, 7.5))
    np.testing.assert_allclose(coarse.array, 2.0, rtol=1e-4)
