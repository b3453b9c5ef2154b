from __future__ import annotations

import numpy as np
import pytest

from imaging.geometry import Geometry
from report.adc_classes import classify
from report.content import ReportImages
from report.histogram import adc_histogram


def test_bars_are_volumes_of_the_disease():
    geometry = Geometry.axial((1, 1, 8), (5.0, 2.0, 2.0), (0, 0, 0))  # 0.02 mL a voxel
    adc = np.array([[[0, 49.9, 50, 120, 2999, 5000, np.nan, 70]]], dtype=np.float32)
    disease = np.array([[[1, 1, 1, 1, 1, 1, 1, 0]]], dtype=bool)
    histogram = adc_histogram(ReportImages(geometry, adc, adc, disease))
    assert len(histogram.volumes_ml) == 60
    assert histogram.upper_um2_s == 3000
    assert histogram.volumes_ml[:3] == pytest.approx((0.04, 0.02, 0.02))
    assert histogram.volumes_ml[-1] == pytest.approx(0.04)  # 2999 and what lies above
    assert sum(histogram.volumes_ml) == pytest.approx(0.12)  # six of the seven have an ADC


def test_a_value_on_a_threshold_is_intermediate():
    adc = np.array([899.9, 900.0, 1400.0, 1400.1, np.nan], dtype=np.float64)
    assert classify(adc, (900.0, 1400.0)).tolist() == [1, 2, 2, 3, 0]


def test_images_must_lie_on_their_geometry():
    geometry = Geometry.axial((1, 1, 8), (5.0, 2.0, 2.0), (0, 0, 0))
    right, wrong = np.zeros((1, 1, 8), np.float32), np.zeros((1, 1, 7), np.float32)
    with pytest.raises(ValueError, match="adc_um2_s has shape"):
        ReportImages(geometry, right, wrong, right > 0)
