import numpy as np
import pytest

from imaging.adc_bins import CRPC_MDV, MHNPC_MDV, PUBLISHED, binned_volumes


def test_the_published_edges():
    # papers.md A.5: 0.4-0.9/0.9-1.4/1.4-1.8 and 0.4-1.0/1.0-1.8 e-3 mm²/s.
    assert CRPC_MDV.edges_um2_s == (400, 900, 1400, 1800)
    assert MHNPC_MDV.edges_um2_s == (400, 1000, 1800)
    assert all(bins.source for bins in PUBLISHED)


def test_volumes_worked_out_by_hand():
    # 350 is below, 1900 above, NaN has no ADC: three voxels in no bin.
    adc = np.array([350.0, 400.0, 899.0, 900.0, 1400.0, 1800.0, 1900.0, np.nan])
    crpc = binned_volumes(adc, CRPC_MDV, 0.5)
    assert crpc.volumes_ml == (1.0, 0.5, 1.0)
    assert crpc.outside_ml == 1.5
    mhnpc = binned_volumes(adc, MHNPC_MDV, 0.5)
    assert mhnpc.volumes_ml == (1.5, 1.0)
    assert sum(mhnpc.volumes_ml) + mhnpc.outside_ml == pytest.approx(8 * 0.5)


def test_no_disease_is_no_volume():
    found = binned_volumes(np.zeros(0), CRPC_MDV, 0.5)
    assert (found.volumes_ml, found.outside_ml) == ((0.0, 0.0, 0.0), 0.0)
