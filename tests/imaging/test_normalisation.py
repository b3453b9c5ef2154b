import numpy as np
import pytest

from imaging.cord import CordRule, find_cord
from imaging.errors import UnusableImages
from imaging.geometry import Geometry
from imaging.histogram_matching import PERCENTS, REFERENCE
from imaging.mixture import two_components
from imaging.normalisation import NormalisationRule, normalise_high_b

GRID = Geometry.axial((60, 40, 40), (5.0, 2.5, 2.5), (0.0, 0.0, 0.0))
CANAL_SLICES = slice(15, 55)


def scene(gain=1.0, cord_adc=1080.0, csf_adc=2900.0):
    """A cord of signal 72 in CSF of signal 35, in tissue of 20."""
    rng = np.random.default_rng(0)
    rows, columns = np.indices(GRID.shape[1:])
    radius_mm = np.hypot(rows - 20, columns - 20) * 2.5
    canal = np.zeros(GRID.shape, dtype=bool)
    canal[CANAL_SLICES] = radius_mm < 10
    cord = canal & (radius_mm < 6)
    signal = np.where(radius_mm < 45, 20.0, 0.0) * np.ones(GRID.shape)
    adc = np.full(GRID.shape, 1500.0)
    signal[canal], adc[canal] = 35.0, csf_adc
    signal[cord], adc[cord] = 72.0, cord_adc
    adc += rng.normal(0, 60, GRID.shape)
    return (gain * signal).astype(np.float32), adc.astype(np.float32), canal, cord


def test_the_cord_becomes_one_whatever_the_gain():
    for gain in (1.0, 7.3):
        signal, adc, canal, cord = scene(gain)
        found = normalise_high_b(signal, adc, canal, GRID)
        assert found.accepted
        assert found.notes == ()
        assert found.reference == pytest.approx(72 * gain, rel=0.01)
        # Median of the lower half of a normal distribution: 0.674 deviations below its mean.
        assert found.cord_adc_um2_s == pytest.approx(1080 - 0.674 * 60, abs=8)
        np.testing.assert_allclose(found.image[cord], 1.0, rtol=0.01)


def test_a_bright_lesion_beside_a_few_slices_does_not_move_the_reference():
    signal, adc, canal, _ = scene()
    signal[30:32][canal[30:32]] *= 5
    found = normalise_high_b(signal, adc, canal, GRID)
    assert found.accepted
    assert found.reference == pytest.approx(72, rel=0.02)


OTHERWISE = NormalisationRule(without_canal="percentile")


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda canal: canal & False, "CANAL_VOLUME"),
        (lambda canal: canal | True, "CANAL_VOLUME"),
        (lambda canal: canal & (np.arange(60) < 40)[:, None, None], "CANAL_SHORT"),
    ],
)
def test_a_canal_that_fails_rejects_the_study_with_its_reason(make, code):
    signal, adc, canal, _ = scene()
    with pytest.raises(UnusableImages, match=r"spinal canal found .* no unit") as refusal:
        normalise_high_b(signal, adc, make(canal), GRID)
    assert refusal.value.code == code


def test_a_site_may_ask_for_a_percentile_and_is_told():
    signal, adc, canal, _ = scene()
    found = normalise_high_b(signal, adc, canal & False, GRID, OTHERWISE)
    assert not found.accepted
    assert [n.code for n in found.notes] == ["CANAL_VOLUME", "NO_CANAL_REFERENCE"]
    assert {n.severity for n in found.notes} == {"warning"}
    assert found.cord_adc_um2_s is None
    body = signal[signal > 0]
    assert found.reference == pytest.approx(np.percentile(body, 97), rel=0.05)
    np.testing.assert_allclose(found.image, signal / np.float32(found.reference), rtol=1e-6)


def test_a_cord_with_an_impossible_adc_is_refused():
    signal, adc, canal, _ = scene(cord_adc=2700.0)
    with pytest.raises(UnusableImages, match="600 to 2200 are expected") as refusal:
        normalise_high_b(signal, adc, canal, GRID)
    assert refusal.value.code == "CORD_ADC"


def test_a_canal_drawn_wide_still_gives_the_cord():
    # 4 % cord; CSF of two kinds, which the mixture takes for both components.
    rng = np.random.default_rng(0)
    adc = np.concatenate(
        [rng.normal(1700, 120, 100), rng.normal(2450, 150, 1200), rng.normal(2900, 200, 1200)]
    ).astype(np.float32)
    signal = np.where(np.arange(adc.size) < 100, 72.0, 35.0).astype(np.float32)
    assert two_components(adc).means[0] > 2200
    cord = find_cord(signal, adc, CordRule(fewest_voxels=50))
    assert cord.adc_um2_s == pytest.approx(1650, abs=30)  # the lower half of 1700 ± 120
    assert cord.signal == 72.0
    assert cord.notes == ()


def test_too_few_valid_voxels_are_refused():
    signal, adc, canal, _ = scene()
    with pytest.raises(UnusableImages, match="Only 0 voxels") as refusal:
        normalise_high_b(signal, np.full_like(adc, np.nan), canal, GRID)
    assert refusal.value.code == "CORD_SMALL"


def test_a_cord_in_a_signal_void_does_not_make_the_body_bright():
    signal, adc, canal, _ = scene()
    signal[canal] *= 0.2  # the cord is 14.4 in a body of 20
    found = normalise_high_b(signal, adc, canal, GRID, OTHERWISE)
    assert found.notes[0].code == "CORD_DARK"
    assert found.notes[0].measured == pytest.approx(14.4 / 20, rel=0.02)


def test_one_population_is_used_whole():
    signal, adc, canal, _ = scene(csf_adc=1080.0)
    found = normalise_high_b(signal, adc, canal, GRID)
    assert found.accepted
    assert found.reference == pytest.approx(np.median(signal[canal]))
    assert [n.code for n in found.notes] == ["CORD_NOT_SEPARATED"]


def test_by_histogram_the_canal_gets_the_fixed_percentiles_whatever_the_gain():
    rule = NormalisationRule(method="histogram")
    images = []
    for gain in (1.0, 7.3):
        signal, adc, canal, _ = scene(gain)
        signal *= np.random.default_rng(1).uniform(0.8, 1.2, GRID.shape).astype(np.float32)
        found = normalise_high_b(signal, adc, canal, GRID, rule)
        np.testing.assert_allclose(
            np.percentile(found.image[canal], PERCENTS), REFERENCE, rtol=0.01
        )
        images.append(found.image)
    np.testing.assert_allclose(images[0], images[1], rtol=1e-4)


def test_a_mixture_finds_both_populations():
    rng = np.random.default_rng(1)
    values = np.concatenate([rng.normal(1100, 100, 3000), rng.normal(2800, 200, 6000)])
    found = two_components(values)
    np.testing.assert_allclose(found.means, [1100, 2800], rtol=0.01)
    np.testing.assert_allclose(found.sds, [100, 200], rtol=0.05)
    np.testing.assert_allclose(found.shares, [1 / 3, 2 / 3], rtol=0.02)
    assert (found.lower[:3000] > 0.5).mean() > 0.99
    assert (found.lower[3000:] < 0.5).mean() > 0.99


def test_a_mixture_of_equal_values_does_not_break():
    found = two_components(np.full(50, 1000.0))
    np.testing.assert_allclose(found.means, 1000.0)
