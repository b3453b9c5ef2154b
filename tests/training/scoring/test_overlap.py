from __future__ import annotations

import numpy as np
import pytest
import SimpleITK

from training.scoring.overlap import Overlap, overlap


def test_by_hand():
    found = Overlap(true=10, predicted=6, shared=4)
    assert found.dice == pytest.approx(0.5)
    assert found.precision == pytest.approx(2 / 3)
    assert found.recall == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("true", "predicted", "dice", "precision", "recall"),
    [(0, 0, 1.0, None, None), (5, 0, 0.0, 0.0, 0.0), (0, 5, 0.0, 0.0, None)],
)
def test_empty_masks_as_metrics_reloaded_has_them(true, predicted, dice, precision, recall):
    found = Overlap(true, predicted, 0)
    assert (found.dice, found.precision, found.recall) == (dice, precision, recall)


def test_as_simpleitk_counts():
    rng = np.random.default_rng(1)
    truth, prediction = rng.random((2, 6, 7, 8)) > 0.6
    measure = SimpleITK.LabelOverlapMeasuresImageFilter()
    images = [SimpleITK.GetImageFromArray(m.astype(np.uint8)) for m in (prediction, truth)]
    measure.Execute(*images)
    found = overlap(truth, prediction)
    assert found.dice == pytest.approx(measure.GetDiceCoefficient())
    assert found.precision == pytest.approx(1 - measure.GetFalseDiscoveryRate())
    assert found.recall == pytest.approx(1 - measure.GetFalseNegativeError())
