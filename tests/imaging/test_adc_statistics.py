import numpy as np
import pytest

from imaging.adc_statistics import ClassVolumes, adc_statistics, class_volumes


def test_statistics_worked_out_by_hand():
    # 1, 2, 3, 4, 10: mean 4, Σd² = 9 + 4 + 1 + 0 + 36 = 50, Σd³ = -27 - 8 - 1 + 216 = 180,
    # Σd⁴ = 81 + 16 + 1 + 1296 = 1394
    found = adc_statistics(np.array([3.0, np.nan, 1.0, 10.0, 2.0, 4.0], dtype=np.float32))
    assert found.mean == 4.0
    assert found.median == 3.0
    assert found.sd == pytest.approx(np.sqrt(50 / 4))
    assert found.skewness == pytest.approx(36 / 10**1.5)
    assert found.kurtosis == pytest.approx(1394 / 5 / 100 - 3)
    assert (found.minimum, found.maximum) == (1.0, 10.0)
    # Position 0.05 · 4 = 0.2 between 1 and 2, and so on.
    assert found.p5 == pytest.approx(1.2)
    assert found.p10 == pytest.approx(1.4)
    assert (found.p25, found.p75) == (2.0, 4.0)
    assert found.p90 == pytest.approx(4 + 0.6 * 6)
    assert found.p95 == pytest.approx(4 + 0.8 * 6)


def test_one_value_and_none():
    one = adc_statistics(np.array([[700.0]]))
    assert (one.mean, one.sd, one.skewness, one.kurtosis) == (700.0, 0.0, 0.0, 0.0)
    assert adc_statistics(np.array([np.nan])) is None


def test_thresholds_belong_to_the_middle_class():
    adc = np.array([899.9, 900.0, 1400.0, 1400.1, 2000.0, np.nan])
    assert class_volumes(adc, (900.0, 1400.0), 0.5) == ClassVolumes(0.5, 1.0, 1.0)
