import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imaging.adc import MAXIMUM_ADC_UM2_S, computed_dwi, fit_adc, fitted_b_values
from imaging.diffusion import DiffusionVolume
from imaging.errors import UnusableImages
from imaging.geometry import Geometry


def volume(signals):
    """One row of voxels: {b: list of signals}."""
    n = len(next(iter(signals.values())))
    geometry = Geometry.axial((1, 1, n), (5.0, 2.0, 2.0), (0.0, 0.0, 0.0))
    images = {b: np.array(s, dtype=np.float32).reshape(1, 1, n) for b, s in signals.items()}
    return DiffusionVolume(geometry, images)


def test_two_b_values_give_the_closed_form():
    # ADC = ln(200 / 100) / (900 - 50) = 8.1547e-4 mm²/s; S0 = 200 exp(50 ADC) = 208.323
    fit = fit_adc(volume({50.0: [200.0], 900.0: [100.0]}))
    assert fit.adc_um2_s.item() == pytest.approx(1e6 * np.log(2) / 850, rel=1e-5)
    assert fit.s0.item() == pytest.approx(200 * 2 ** (50 / 850), rel=1e-5)
    assert fit.residual.item() == pytest.approx(0.0, abs=1e-5)
    assert fit.b_values == (50.0, 900.0)


@settings(deadline=None, max_examples=50)
@given(adc=st.floats(50, 4500), s0=st.floats(20, 60000), high=st.floats(400, 1200))
def test_a_pure_decay_is_recovered(adc, s0, high):
    b_values = (50.0, (50.0 + high) / 2, high)
    fit = fit_adc(volume({b: [s0 * np.exp(-b * adc * 1e-6), s0] for b in b_values}))
    assert fit.adc_um2_s[0, 0, 0] == pytest.approx(adc, rel=1e-3, abs=0.5)
    assert fit.s0[0, 0, 0] == pytest.approx(s0, rel=1e-3)


def test_three_b_values_are_weighted_by_squared_signal():
    # S = 4, 2, 2 at b 0.1, 0.6, 1.1 ms/µm²: w = 16, 4, 4 -> b̄ = 8.4 / 24 = 0.35,
    # Σ w (b - b̄)² = 16·0.0625 + 4·0.0625 + 4·0.5625 = 3.5; with y = ln S - ln 2 = (ln 2, 0, 0):
    # Σ w (b - b̄) y = 16·(-0.25)·ln 2 = -4 ln 2 -> ADC = 4 ln 2 / 3.5 = 0.792168 µm²/ms
    fit = fit_adc(volume({100.0: [4.0], 600.0: [2.0], 1100.0: [2.0]}))
    assert fit.adc_um2_s.item() == pytest.approx(1000 * 4 * np.log(2) / 3.5, rel=1e-5)
    slope = 4 * np.log(2) / 3.5
    intercept = np.log(2) * 16 / 24 + slope * 0.35
    misfit = [np.log(2) - intercept + 0.1 * slope, -intercept + 0.6 * slope]
    misfit.append(-intercept + 1.1 * slope)
    assert fit.residual.item() == pytest.approx(np.sqrt(np.mean(np.square(misfit))), rel=1e-4)


def test_b0_is_left_out_when_two_others_exist():
    # Perfusion makes b 0 brighter than the decay between 50 and 900 says.
    decay = {b: [100 * np.exp(-b * 1e-3)] for b in (50.0, 900.0)}
    fit = fit_adc(volume({0.0: [150.0], **decay}))
    assert fit.b_values == (50.0, 900.0)
    assert fit.adc_um2_s.item() == pytest.approx(1000.0, rel=1e-4)


def test_b0_is_used_when_only_one_other_exists():
    assert fitted_b_values((0.0, 900.0)) == (0.0, 900.0)


def test_one_b_value_is_refused_with_its_code():
    with pytest.raises(UnusableImages, match="only b 900") as caught:
        fit_adc(volume({900.0: [10.0]}))
    assert caught.value.code == "ONE_SHELL_ONLY"


@pytest.mark.parametrize(
    ("low", "high", "why"),
    [
        (100.0, 0.0, "no signal at high b"),
        (0.0, 10.0, "no signal at low b"),
        (1.0, 0.5, "noise at low b: below 2 % of the brightest"),
        (100.0, 120.0, "signal rises: negative ADC"),
        (100.0, 100.0 * np.exp(-0.85 * 1.01 * MAXIMUM_ADC_UM2_S / 1000), "faster than fluid"),
        (np.nan, 10.0, "no number"),
    ],
)
def test_invalid_voxels_are_nan_and_keep_their_signal_as_s0(low, high, why):
    fit = fit_adc(volume({50.0: [low] + [200.0] * 9, 900.0: [high] + [100.0] * 9}))
    assert np.isnan(fit.adc_um2_s[0, 0, 0]), why
    assert np.isnan(fit.residual[0, 0, 0])
    assert fit.s0[0, 0, 0] == pytest.approx(np.nan_to_num(low))
    assert np.isfinite(fit.adc_um2_s[0, 0, 1:]).all()


def test_computed_dwi_follows_the_decay_and_is_zero_where_invalid():
    fit = fit_adc(volume({50.0: [200.0, 200.0], 900.0: [100.0, 0.0]}))
    computed = computed_dwi(fit, 900.0)
    assert computed[0, 0, 0] == pytest.approx(100.0, rel=1e-4)
    assert computed[0, 0, 1] == 0.0


def test_runs_of_voxels_join_without_a_seam():
    rng = np.random.default_rng(0)
    adc = rng.uniform(300, 3000, (5, 200, 300))
    geometry = Geometry.axial(adc.shape, (5.0, 2.0, 2.0), (0.0, 0.0, 0.0))
    images = {b: (500 * np.exp(-b * adc * 1e-6)).astype(np.float32) for b in (50.0, 900.0)}
    fit = fit_adc(DiffusionVolume(geometry, images))
    np.testing.assert_allclose(fit.adc_um2_s, adc, rtol=1e-3)
