import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import exp1

from imaging.adc import (
    MAXIMUM_ADC_UM2_S,
    AdcSettings,
    computed_dwi,
    fit_adc,
    fitted_b_values,
    signal_before_decay,
    taken_over,
)
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
    # A line through two points misses neither: there is no fit quality to read.
    assert np.isnan(fit.residual.item())
    assert fit.degrees_of_freedom == 0
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


def test_computed_dwi_follows_the_decay_and_is_nan_where_invalid():
    fit = fit_adc(volume({50.0: [200.0, 200.0], 900.0: [100.0, 0.0]}))
    assert computed_dwi(fit, 900.0)[0, 0, 0] == pytest.approx(100.0, rel=1e-4)
    # Half as much for each 850 s/mm²: at b 1400 it is 200 x 2^(-1350 / 850) = 66.52.
    assert computed_dwi(fit, 1400.0)[0, 0, 0] == pytest.approx(66.52, rel=1e-4)
    assert np.isnan(computed_dwi(fit, 900.0)[0, 0, 1])


@pytest.mark.parametrize("weighting", ["signal", "none"])
@pytest.mark.parametrize(
    "b_values", [(50.0, 900.0), (50.0, 600.0, 900.0), (0.0, 50.0, 600.0, 900.0), (0.0, 1000.0)]
)
def test_a_decay_without_noise_is_recovered_whatever_the_weighting(b_values, weighting):
    adc = np.array([120.0, 700.0, 1400.0, 3000.0])
    fit = fit_adc(
        volume({b: 300 * np.exp(-b * adc * 1e-6) for b in b_values}), AdcSettings(weighting)
    )
    np.testing.assert_allclose(fit.adc_um2_s[0, 0], adc, rtol=2e-4)
    np.testing.assert_allclose(fit.s0[0, 0], 300.0, rtol=2e-4)
    assert fit.degrees_of_freedom == len([b for b in b_values if b or len(b_values) == 2]) - 2


def test_perfusion_stays_in_the_fit_when_the_settings_say_so():
    signals = {0.0: [150.0], 50.0: [100.0], 900.0: [40.0]}
    included = fit_adc(volume(signals), AdcSettings(exclude_perfusion=False))
    assert included.b_values == (0.0, 50.0, 900.0)
    assert "included" in included.method
    assert included.adc_um2_s.item() > fit_adc(volume(signals)).adc_um2_s.item()


def test_results_name_their_weighting_and_an_unknown_one_is_refused():
    signals = {50.0: [100.0], 900.0: [40.0]}
    methods = {w: fit_adc(volume(signals), AdcSettings(w)).method for w in ("signal", "none")}
    assert methods["signal"] == "mono-exponential, weighted log-linear (weights S^2)"
    assert methods["none"] == "mono-exponential, log-linear, unweighted"
    with pytest.raises(ValueError, match="use signal or none"):
        AdcSettings("squared")


@pytest.mark.parametrize("weighting", ["signal", "none"])
@pytest.mark.parametrize("b_values", [(50.0, 600.0, 900.0), (50.0, 400.0, 800.0, 1000.0)])
def test_every_voxel_is_what_numpy_solves(b_values, weighting):
    rng = np.random.default_rng(3)
    adc, s0 = rng.uniform(400, 2200, 60), rng.uniform(100, 900, 60)
    signals = {b: s0 * np.exp(-b * adc * 1e-6) * rng.uniform(0.9, 1.1, 60) for b in b_values}
    fit = fit_adc(volume(signals), AdcSettings(weighting))
    design = np.array([[1.0, -b * 1e-6] for b in b_values])
    for n in range(60):
        signal = np.array([signals[b][n] for b in b_values])
        # lstsq minimises Σ (r_i (A x - y)_i)²: the roots of the weights S² are S.
        root = signal if weighting == "signal" else np.ones(len(b_values))
        x = np.linalg.lstsq(design * root[:, np.newaxis], np.log(signal) * root, rcond=None)[0]
        assert fit.adc_um2_s[0, 0, n] == pytest.approx(x[1], rel=1e-4)
        assert fit.s0[0, 0, n] == pytest.approx(np.exp(x[0]), rel=1e-4)
        misfit = np.sqrt(np.mean((design @ x - np.log(signal)) ** 2))
        assert fit.residual[0, 0, n] == pytest.approx(misfit, rel=1e-2, abs=1e-5)


def test_the_bias_of_both_weightings_under_noise_is_what_theory_says():
    """Bias and spread of the ADC at 1000 µm²/s under Rician noise, SNR 20 at b 50.

    For Rician noise of deviation s around v, E[ln S] = ln v + E1(v² / 2 s²) / 2 exactly, so the
    unweighted fit's bias is -Σ (b - b̄) E1(v² / 2 s²) / 2 / Σ (b - b̄)². Weights of S² follow the
    noise as well; to second order, with W = v², c = b - Σ W b / ΣW and D = Σ W c², that adds
    -2 s² (Σ c / D - Σ W c³ / D²). The variance of both is Σ (k s / v)² with the fit's factors k.
    """
    b, adc, n = np.array([50.0, 600.0, 900.0]) * 1e-6, 1000.0, 200_000
    v = 100 * np.exp(-(b - b[0]) * adc)
    s = v[0] / 20
    rng = np.random.default_rng(7)
    noise = s * rng.standard_normal((2, len(b), n))
    signals = dict(zip(b * 1e6, np.hypot(v[:, np.newaxis] + noise[0], noise[1]), strict=True))
    log_bias = exp1(v**2 / (2 * s**2)) / 2
    for weighting, weights in (("signal", v**2), ("none", np.ones(3))):
        c = b - (weights * b).sum() / weights.sum()
        d = (weights * c**2).sum()
        bias = -(weights * c * log_bias).sum() / d
        if weighting == "signal":
            bias -= 2 * s**2 * (c.sum() / d - (weights * c**3).sum() / d**2)
        spread = np.sqrt(((weights * c * s / v / d) ** 2).sum())
        fitted = fit_adc(volume(signals), AdcSettings(weighting)).adc_um2_s
        print(  # noqa: T201 - the numbers are what a reader of the test wants to see
            f"{weighting:6s}: bias {np.mean(fitted) - adc:+.2f} (theory {bias:+.2f}) um2/s, "
            f"spread {np.std(fitted):.1f} (theory {spread:.1f})"
        )
        assert np.isfinite(fitted).all()
        assert np.mean(fitted) - adc == pytest.approx(bias, abs=4 * spread / np.sqrt(n) + 0.5)
        assert np.std(fitted) == pytest.approx(spread, rel=0.03)


def test_runs_of_voxels_join_without_a_seam():
    rng = np.random.default_rng(0)
    adc = rng.uniform(300, 3000, (5, 200, 300))
    geometry = Geometry.axial(adc.shape, (5.0, 2.0, 2.0), (0.0, 0.0, 0.0))
    images = {b: (500 * np.exp(-b * adc * 1e-6)).astype(np.float32) for b in (50.0, 900.0)}
    fit = fit_adc(DiffusionVolume(geometry, images))
    np.testing.assert_allclose(fit.adc_um2_s, adc, rtol=1e-3)


def test_the_signal_before_decay_gives_the_same_adc_again():
    signal = np.full((1, 1, 4), 100.0, np.float32)
    adc = np.array([[[1000.0, 2000.0, 0.0, 6000.0]]], np.float32)
    before = signal_before_decay(signal, adc, 900.0)
    # 100 exp(0.9) and 100 exp(1.8); outside (0, 5000] the signal itself.
    assert before[0, 0].tolist() == pytest.approx([245.9603, 604.9647, 100.0, 100.0], rel=1e-6)
    fit = taken_over(fit_adc(volume({0.0: before[0, 0], 900.0: signal[0, 0]})))
    assert fit.adc_um2_s[0, 0, :2] == pytest.approx([1000.0, 2000.0], rel=1e-5)
    assert np.isnan(fit.adc_um2_s[0, 0, 2:]).all()
    assert (fit.b_values, fit.degrees_of_freedom) == ((900.0,), 0)
    assert "scanner's own" in fit.method
