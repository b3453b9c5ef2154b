from __future__ import annotations

import numpy as np
import pytest
import SimpleITK
from monai.metrics import compute_average_surface_distance, compute_surface_dice
from scipy import ndimage

from training.scoring.surfaces import SurfaceScore, score_surfaces, union_box

SPACING = (5.0, 3.0, 2.5)


def box(start, shape=(20, 20, 20), size=6):
    mask = np.zeros(shape, dtype=np.bool_)
    mask[tuple(slice(s, s + size) for s in start)] = True
    return mask


def blob(seed, shape=(14, 24, 26)):
    noise = np.random.default_rng(seed).normal(size=shape)
    mask = ndimage.gaussian_filter(noise, 2) > 0.03
    # SimpleITK sees no surface at the border of the image.
    return np.pad(mask, 2)


def test_two_shifted_boxes_by_hand():
    # A surface of a 6x6x6 box has 216 - 64 = 152 voxels. One column further, one face (36 voxels)
    # lies outside and 16 voxels of the other face lie inside: 52 are one column of 2.5 mm away.
    found = score_surfaces(box((5, 5, 5)), box((5, 5, 6)), SPACING)
    assert found.distance_mm == pytest.approx(52 * 2.5 / 152)
    assert found.nsd == pytest.approx((100 / 152, 100 / 152, 1.0))


def test_a_tolerance_reaches_its_own_length():
    # One row further is 3 mm: within 3 mm, not within 2 mm.
    found = score_surfaces(box((5, 5, 5)), box((5, 6, 5)), (5.0, 3.0, 3.0))
    assert found.nsd == pytest.approx((100 / 152, 100 / 152, 1.0))
    # One slice further is 5 mm, but the 16 inner voxels are 2.5 or 5 mm from a side face: only
    # the 4 in the middle are 5 mm away from every face, as are all 36 of the outer face.
    found = score_surfaces(box((5, 5, 5)), box((6, 5, 5)), (5.0, 2.5, 2.5))
    assert found.nsd == pytest.approx((100 / 152, 100 / 152, 112 / 152))
    assert found.distance_mm == pytest.approx((40 * 5 + 12 * 2.5) / 152)


def test_equal_masks_have_no_distance():
    assert score_surfaces(box((3, 3, 3)), box((3, 3, 3)), SPACING) == SurfaceScore((1, 1, 1), 0.0)


def test_a_mask_at_the_border_of_the_image_has_a_surface_there():
    whole = np.ones((4, 4, 4), dtype=np.bool_)
    part = whole.copy()
    part[0] = False
    # All 16 voxels of the first slice are one slice away from the other's nearest voxel; the 4
    # inner voxels of that next slice are surface for the other only, 1 row inside of this one.
    found = score_surfaces(whole, part, (2.0, 2.0, 2.0))
    assert found.distance_mm == pytest.approx((16 * 2 + 4 * 2) / (56 + 44))


def test_empty_masks():
    none = np.zeros((5, 5, 5), dtype=np.bool_)
    assert score_surfaces(none, none, SPACING) == SurfaceScore((1, 1, 1), None)
    assert score_surfaces(box((1, 1, 1), none.shape, 2), none, SPACING) == SurfaceScore(
        (0, 0, 0), None
    )


def _distances_by_simpleitk(mask, other):
    image, there = (SimpleITK.GetImageFromArray(m.astype(np.uint8)) for m in (mask, other))
    for one in (image, there):
        one.SetSpacing(SPACING[::-1])
    edge = SimpleITK.GetArrayFromImage(SimpleITK.LabelContour(image, False)) > 0
    contour = SimpleITK.LabelContour(there, False)
    distance = SimpleITK.SignedMaurerDistanceMap(contour, False, False, True)
    return np.abs(SimpleITK.GetArrayFromImage(distance)[edge])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_as_simpleitk_measures(seed):
    truth, prediction = blob(seed), ndimage.shift(blob(seed), (0, 1, -1), order=0)
    prediction |= blob(seed + 50) & (np.arange(30) > 20)
    distances = np.concatenate(
        [_distances_by_simpleitk(truth, prediction), _distances_by_simpleitk(prediction, truth)]
    )
    found = score_surfaces(truth, prediction, SPACING)
    assert found.distance_mm == pytest.approx(float(distances.mean()), rel=1e-5)
    expected = [float(np.mean(distances <= mm + 1e-4)) for mm in (1, 2, 3)]
    assert found.nsd == pytest.approx(expected)


@pytest.mark.filterwarnings("ignore:.*always_return_as_numpy:FutureWarning")
def test_as_monai_measures():
    truth, prediction = blob(4), blob(4) | blob(5)
    import torch  # noqa: PLC0415

    masks = [torch.from_numpy(m)[None, None] for m in (prediction, truth)]
    found = score_surfaces(truth, prediction, SPACING)
    distance = compute_average_surface_distance(*masks, symmetric=True, spacing=SPACING)
    assert found.distance_mm == pytest.approx(float(distance), rel=1e-5)
    nsd = compute_surface_dice(*masks, class_thresholds=[3.0], spacing=SPACING)
    assert found.nsd[2] == pytest.approx(float(nsd), rel=1e-5)


def test_the_box_of_two_masks():
    assert union_box(box((1, 2, 3), size=2), box((4, 0, 3), size=1)) == (
        slice(1, 5),
        slice(0, 4),
        slice(3, 5),
    )
    assert union_box(np.zeros((2, 2, 2), dtype=np.bool_)) is None
