import numpy as np
import pytest

from imaging.adc import AdcFit, fit_adc
from imaging.diffusion import DiffusionVolume
from imaging.errors import ModelMismatch, UnusableImages
from imaging.geometry import Geometry
from imaging.model import Channel, ModelSpec
from imaging.preprocessing import MARGIN_MM, preprocess, to_labels, to_probability
from imaging.resampling import resample
from tests.imaging.bodies import cut, whole_body

CHANNELS = (Channel("adc_um2_s", "fixed", 3000.0, 1.0), Channel("s0", "percentile", 1.0, 3.0))
VOLUME, INSIDE, ADC = whole_body(24, noise=0.5)


def spec(spacing_mm=(5.0, 8.0, 8.0), channels=CHANNELS):
    return ModelSpec(
        name="test",
        version="1",
        channels=channels,
        spacing_mm=spacing_mm,
        orientation="SPL",
        slab_slices=8,
        slab_overlap=2,
        divisor=(4, 4, 4),
        classes=("background", "liver"),
        sha256="",
    )


def test_the_grid_holds_the_body_and_keeps_the_slices():
    made = preprocess(fit_adc(VOLUME), VOLUME.geometry, spec((5.02, 8.0, 8.0)))
    assert made.array.dtype == np.float32
    assert made.array.shape == (2, *made.geometry.shape)
    assert made.geometry.spacing_mm == pytest.approx((5.0, 8.0, 8.0))
    assert made.geometry.shape[0] == 24
    assert made.geometry.origin_mm[2] == VOLUME.geometry.origin_mm[2]
    corners = made.geometry.to_index(VOLUME.geometry.to_patient_mm(np.argwhere(INSIDE)))
    assert corners.min() >= -0.5
    assert (corners.max(axis=0) <= np.array(made.geometry.shape) - 0.5).all()
    width_mm = made.geometry.shape[2] * 8.0
    columns = np.flatnonzero(INSIDE.any(axis=(0, 1)))
    body_mm = (columns[-1] - columns[0] + 1) * 4.0
    assert body_mm <= width_mm <= body_mm + 2 * (MARGIN_MM + 8.0) + 8.0


def test_other_slice_spacing_is_resampled():
    made = preprocess(fit_adc(VOLUME), VOLUME.geometry, spec((4.0, 8.0, 8.0)))
    assert made.geometry.spacing_mm == pytest.approx((4.0, 8.0, 8.0))
    assert made.geometry.shape[0] == 24 * 5 / 4


def test_channels_are_normalised_as_declared():
    made = preprocess(fit_adc(VOLUME), VOLUME.geometry, spec((5.0, 4.0, 4.0)))
    inside = resample(INSIDE.astype(np.float32), VOLUME.geometry, made.geometry) > 0.99
    truth = resample(ADC.astype(np.float32), VOLUME.geometry, made.geometry)
    assert np.abs(made.array[0][inside] * 3000 - truth[inside]).mean() < 10
    # The 90th percentile of S0 in the body becomes one: a tenth of the body lies above.
    assert np.mean(made.array[1][inside] > 1.0) == pytest.approx(0.1, abs=0.02)
    assert made.array.min() >= 0


def test_gain_does_not_change_the_input():
    brighter = cut(VOLUME, 0, 24, gain=7.3).volume
    first = preprocess(fit_adc(VOLUME), VOLUME.geometry, spec())
    second = preprocess(fit_adc(brighter), brighter.geometry, spec())
    np.testing.assert_allclose(first.array, second.array, atol=2e-3)


def test_values_are_clipped_and_invalid_adc_becomes_zero():
    shape = VOLUME.geometry.shape
    adc = np.full(shape, 9000.0, dtype=np.float32)
    adc[:, :24] = np.nan
    fit = AdcFit(adc, fit_adc(VOLUME).s0, np.zeros(shape, dtype=np.float32), (50.0, 900.0))
    made = preprocess(fit, VOLUME.geometry, spec((5.0, 4.0, 4.0)))
    assert set(np.unique(made.array[0])) <= {np.float32(0.0), np.float32(1.0)}
    assert np.isfinite(made.array).all()


def test_the_same_body_in_any_orientation_gives_the_same_input():
    order = (2, 0, 1)
    affine = VOLUME.geometry.affine.copy()
    affine[:3, 3] = VOLUME.geometry.to_patient_mm((23, 0, VOLUME.geometry.shape[2] - 1))
    affine[:3, 0] *= -1
    affine[:3, 2] *= -1
    affine[:3, :3] = affine[:3, :3][:, order]
    images = {b: i[::-1, :, ::-1].transpose(order) for b, i in VOLUME.images.items()}
    shape = tuple(VOLUME.geometry.shape[a] for a in order)
    turned = DiffusionVolume(Geometry(shape, affine), images)
    first = preprocess(fit_adc(VOLUME), VOLUME.geometry, spec())
    second = preprocess(fit_adc(turned), turned.geometry, spec())
    # The body mask is made slice by slice, so its box may differ by a voxel; compare in place.
    index = np.moveaxis(np.indices(first.geometry.shape), 0, -1)
    shift = second.geometry.to_index(first.geometry.to_patient_mm(index))
    assert second.geometry.spacing_mm == pytest.approx(first.geometry.spacing_mm)
    assert (np.sign(second.geometry.affine[[2, 1, 0], [0, 1, 2]]) == 1).all()
    middle = tuple(n // 2 for n in first.geometry.shape)
    there = tuple(np.round(shift[middle]).astype(int))
    assert second.array[(0, *there)] == pytest.approx(first.array[(0, *middle)], abs=0.1)


def test_signal_free_images_and_unknown_channels_are_refused():
    zeros = np.zeros(VOLUME.geometry.shape, dtype=np.float32)
    with pytest.raises(UnusableImages, match="no body") as caught:
        preprocess(AdcFit(zeros, zeros, zeros, (50.0, 900.0)), VOLUME.geometry, spec())
    assert caught.value.code == "NO_BODY"
    wanted = (Channel("t1", "fixed", 1.0, 1.0),)
    with pytest.raises(ModelMismatch, match="t1"):
        preprocess(fit_adc(VOLUME), VOLUME.geometry, spec(channels=wanted))
    wanted = (Channel("s0", "rank", 1.0, 1.0),)
    with pytest.raises(ModelMismatch, match="rank"):
        preprocess(fit_adc(VOLUME), VOLUME.geometry, spec(channels=wanted))


MODEL_GRID = Geometry.axial((6, 8, 9), (5.0, 4.0, 4.0), (10.0, 20.0, 30.0))


def random_probability(n_classes, seed=0):
    raw = np.random.default_rng(seed).random((n_classes, *MODEL_GRID.shape)) ** 4
    return (raw / raw.sum(axis=0)).astype(np.float32)


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@pytest.mark.parametrize("slice_mm", [5.0, 3.0])
def test_labels_are_the_most_probable_class_of_the_resampled_probabilities(slice_mm, dtype):
    probability = random_probability(5).astype(dtype)
    target = Geometry.axial((20, 30, 40), (slice_mm, 1.7, 1.3), (2.0, 12.0, 22.0))
    moved = np.stack([resample(p.astype(np.float32), MODEL_GRID, target) for p in probability])
    labels = to_labels(probability, MODEL_GRID, target)
    ordered = np.sort(moved, axis=0)
    clear = ordered[-1] - ordered[-2] > 1e-3
    assert clear.mean() > 0.1
    np.testing.assert_array_equal(labels[clear], moved.argmax(axis=0)[clear])
    assert not labels[moved.sum(axis=0) == 0].any()


def test_labels_on_an_oblique_target():
    probability = np.zeros((2, *MODEL_GRID.shape), dtype=np.float32)
    probability[1, 2:4, 3:6, 3:6] = 1
    probability[0] = 1 - probability[1]
    affine = MODEL_GRID.affine.copy()
    affine[:3, :3] = np.array([[1, 0, 0], [0, 0.98, -0.2], [0, 0.2, 0.98]]) @ affine[:3, :3]
    affine[:3, 3] = MODEL_GRID.to_patient_mm((2.5, 4, 4)) - affine[:3, :3] @ [2.5, 4, 4]
    labels = to_labels(probability, MODEL_GRID, Geometry(MODEL_GRID.shape, affine))
    assert labels[2, 4, 4] == 1
    assert 0 < labels.sum() < 40


def test_far_targets_are_background():
    far = Geometry.axial((2, 3, 4), (5.0, 2.0, 2.0), (900.0, 900.0, 900.0))
    assert not to_labels(random_probability(3), MODEL_GRID, far).any()
    assert not to_probability(random_probability(3)[1], MODEL_GRID, far).any()


def test_one_class_keeps_its_probability_where_the_grids_agree():
    one = random_probability(3)[1]
    np.testing.assert_array_equal(to_probability(one, MODEL_GRID, MODEL_GRID), one)
