from __future__ import annotations

import numpy as np
import pytest

from imaging.agreement import dice_by_structure
from imaging.anatomy import BY_NAME
from imaging.geometry import Geometry
from training.scoring.structures import NAMES, score_mask, score_structures

GEOMETRY = Geometry.axial((12, 12, 12), (5.0, 2.0, 2.0), (0, 0, 0))


def label(name):
    return BY_NAME[name].label


def maps():
    truth = np.zeros(GEOMETRY.shape, dtype=np.uint8)
    truth[2:6, 2:6, 2:6] = label("pelvis")
    truth[2:6, 2:6, 7:9] = label("ribs")
    truth[7:10, 2:6, 2:6] = label("liver")
    truth[7:10, 7:9, 2:6] = label("kidney_left")
    labels = np.roll(truth, 1, axis=2)
    labels[labels == label("pelvis")] = label("sacrum")
    return truth, labels


def test_dice_is_what_serving_counts():
    truth, labels = maps()
    found = score_structures(truth, labels, np.ones(GEOMETRY.shape, np.float32), GEOMETRY)
    expected = dice_by_structure(truth, labels)
    assert {n: found[n].dice for n in expected} == pytest.approx(expected)
    assert set(found) - set(expected) == {"kidneys"}


def test_groups_by_hand():
    truth, labels = maps()
    adc = np.full(GEOMETRY.shape, 500.0, np.float32)
    adc[:, :, :3] = 1500.0
    found = score_structures(truth, labels, adc, GEOMETRY)
    # The whole skeleton moves by one column and does not mind that the pelvis became the sacrum:
    # 64 + 32 true voxels, of which 48 + 16 are found.
    assert found["skeleton"].dice == pytest.approx(64 / 96)
    assert found["skeleton_without_ribs"].recall == pytest.approx(48 / 64)
    assert found["pelvis"].dice == 0.0
    assert found["pelvis"].surface_distance_mm is None
    assert found["sacrum"].precision == 0.0
    assert found["sacrum"].recall is None
    assert found["liver"].true_volume_ml == pytest.approx(48 * 0.02)
    # A quarter of the true liver has 1500; the median of its ADC is 500 all the same.
    assert found["liver"].true_adc_um2_s == 500.0
    assert found["organs"].dice == pytest.approx((found["liver"].dice + found["kidneys"].dice) / 2)
    assert found["organs"].adc_um2_s is None
    assert list(found) == [n for n in NAMES if n in found]
    assert "spleen" not in found


def test_medians_leave_out_voxels_without_adc():
    truth = np.zeros(GEOMETRY.shape, dtype=np.bool_)
    truth[0, 0, :3] = True
    adc = np.full(GEOMETRY.shape, np.nan, np.float32)
    adc[0, 0, :2] = (400, 600)
    found = score_mask(truth, truth, adc, GEOMETRY)
    assert found is not None
    assert found.adc_um2_s == 500.0
    assert score_mask(~truth & truth, ~truth & truth, adc, GEOMETRY) is None
