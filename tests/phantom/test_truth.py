from __future__ import annotations

import math

import numpy as np
import pytest

from imaging.anatomy import BY_NAME
from imaging.geometry import Geometry
from phantom.truth import count_truth

GRID = Geometry.axial((4, 5, 5), (5.0, 2.0, 2.0), (-4.0, -6.0, 100.0))  # voxels of 0.02 mL


def test_truth_counts_voxels_and_numbers_lesions_without_gaps():
    labels = np.full(GRID.shape, BY_NAME["pelvis"].label, np.uint8)
    labels[2:] = BY_NAME["sacrum"].label
    index = np.zeros(GRID.shape, np.uint16)
    index[0, 0, 0:3] = 7
    index[3, 4, 4] = 2
    adc = np.full(GRID.shape, 500, np.float32)
    adc[0, 0, 0:3] = (900, 1000, 1400)
    adc[3, 4, 4] = 1200
    truth = count_truth(GRID, labels, index, adc)
    assert [lesion.label for lesion in truth.lesions] == [1, 2]
    sacral, pelvic = truth.lesions  # ordered as planted: 2 before 7
    assert (sacral.region, pelvic.region) == ("sacrum", "pelvis")
    assert pelvic.volume_ml == pytest.approx(0.06)
    assert pelvic.centroid_mm == pytest.approx((-2.0, -6.0, 100.0))
    assert sacral.centroid_mm == pytest.approx((4.0, 2.0, 115.0))
    assert pelvic.adc_um2_s == 1000
    assert truth.tdv_ml == pytest.approx(0.08)
    assert truth.gadc_um2_s == 1100  # of 900, 1000, 1200, 1400
    assert np.unique(truth.lesion_labels).tolist() == [0, 1, 2]


def test_no_disease_has_no_gadc():
    empty = np.zeros(GRID.shape, np.uint16)
    truth = count_truth(GRID, empty.astype(np.uint8), empty, empty.astype(np.float32))
    assert truth.lesions == ()
    assert truth.tdv_ml == 0
    assert math.isnan(truth.gadc_um2_s)
