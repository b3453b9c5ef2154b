from __future__ import annotations

import numpy as np
import pytest

from imaging.geometry import Geometry
from training.scoring.lesions import count_detections, score_lesions

GEOMETRY = Geometry.axial((10, 20, 20), (5.0, 2.0, 2.0), (0, 0, 0))
VOXEL_ML = 0.02


@pytest.fixture
def masks():
    """Three lesions and three predictions: one touches two lesions, one nothing."""
    truth = np.zeros(GEOMETRY.shape, dtype=np.bool_)
    truth[2:4, 2:4, 2:4] = True  # 8 voxels
    truth[4, 4, 4] = True  # joined by its corner: 9 voxels
    truth[2:4, 2:4, 8:10] = True  # 8 voxels
    truth[7, 15, 15] = True  # missed
    prediction = np.zeros(GEOMETRY.shape, dtype=np.bool_)
    prediction[3, 3, 3:9] = True  # 6 voxels, one in each of the first two lesions
    prediction[2, 2, 2] = True  # 1 voxel in the first lesion, apart from the other
    prediction[2, 2, 2:3] = True
    prediction[8, 2:4, 2:4] = True  # 4 voxels, false
    confidence = np.zeros(GEOMETRY.shape, np.float32)
    confidence[3, 3, 3:9] = np.linspace(0.5, 0.8, 6)
    confidence[2, 2, 2] = 0.6
    confidence[8] = 0.7
    return truth, prediction, confidence


def test_matching_by_hand(masks):
    truth, prediction, confidence = masks
    # The single voxel (2, 2, 2) touches (3, 3, 3) by its corner: one prediction of 7 voxels.
    found = score_lesions(truth, prediction, confidence, GEOMETRY)
    first, second, third = found.lesions
    assert [le.volume_ml for le in found.lesions] == pytest.approx(
        [9 * VOXEL_ML, 8 * VOXEL_ML, VOXEL_ML]
    )
    assert (first.detected, second.detected, third.detected) == (True, True, False)
    # 2 of the prediction's 7 voxels are in the first lesion, 1 is in the second.
    assert first.dice == pytest.approx(2 * 2 / (9 + 7))
    assert second.dice == pytest.approx(2 * 1 / (8 + 7))
    assert first.confidence == second.confidence == pytest.approx(0.8)
    assert third.dice is third.nsd is third.confidence is None
    assert [(p.true, pytest.approx(p.confidence)) for p in found.predictions] == [
        (True, 0.8),
        (False, 0.7),
    ]
    assert found.shared_ml == ((0, 0, pytest.approx(0.04)), (1, 0, pytest.approx(0.02)))
    assert count_detections(truth, prediction, GEOMETRY) == (3, 2, 2, 1)


def test_all_predictions_that_touch_a_lesion_count_for_its_dice():
    truth = np.zeros(GEOMETRY.shape, dtype=np.bool_)
    truth[2, 2, 2:10] = True
    prediction = np.zeros_like(truth)
    prediction[2, 2, 2:4] = prediction[2, 2, 7:12] = True
    found = score_lesions(truth, prediction, prediction.astype(np.float32), GEOMETRY)
    # 2 + 3 of 8 voxels, beside 2 + 5 predicted ones.
    assert found.lesions[0].dice == pytest.approx(2 * 5 / (8 + 7))
    # 2 mm from the nearest: two of the lesion's voxels and one of the predictions'; 4 mm: one each.
    assert found.lesions[0].nsd == pytest.approx((10 / 15, 13 / 15, 13 / 15))
    assert len(found.predictions) == 2


def test_a_perfect_prediction():
    truth = np.zeros(GEOMETRY.shape, dtype=np.bool_)
    truth[1:4, 1:4, 1:4] = truth[6:8, 10:14, 3:5] = True
    found = score_lesions(truth, truth, truth.astype(np.float32), GEOMETRY)
    assert [(le.dice, le.nsd) for le in found.lesions] == [(1.0, (1.0, 1.0, 1.0))] * 2


def test_nothing_true_and_nothing_predicted():
    none = np.zeros(GEOMETRY.shape, dtype=np.bool_)
    found = score_lesions(none, none, none.astype(np.float32), GEOMETRY)
    assert (found.lesions, found.predictions, found.shared_ml) == ((), (), ())
    assert count_detections(none, none, GEOMETRY) == (0, 0, 0, 0)
