from __future__ import annotations

import numpy as np
import pytest

from imaging.adc import AdcFit
from imaging.errors import ModelMismatch, UnusableImages
from imaging.focal import (
    MagnitudeImage,
    computed_signal,
    focal_input,
    moved_input,
    registered_input,
)
from imaging.geometry import Geometry
from imaging.intensity import to_unit_range
from imaging.model import Channel, ModelSpec

CHANNELS = (Channel("t1", "percentiles", 1.0, 1.0), Channel("b1000", "percentiles", 1.0, 1.0))


def _spec(channels=CHANNELS):
    return ModelSpec(
        "focal", "0", channels, (4.0, 3.0, 3.0), "SPL", 16, 4, (1, 1, 1), ("background", "x"), ""
    )


def _body():
    geometry = Geometry.axial((10, 32, 36), (8.0, 5.0, 5.0), (-90.0, -80.0, 0.0))
    s0 = np.full((10, 32, 36), 0.5, np.float32)
    s0[:, 6:26, 6:30] = 100.0
    s0[3:7, 12:20, 12:18] = 300.0
    adc = np.full(s0.shape, 1000.0, np.float32)
    adc[0, 0, 0] = np.nan
    return AdcFit(adc, s0, np.zeros_like(s0), (50.0, 900.0)), geometry


def test_computed_signal_is_the_decay_at_that_b_and_0_without_adc():
    fit, _ = _body()
    signal = computed_signal(fit)
    assert signal[4, 14, 14] == pytest.approx(300 * np.exp(-1.0), rel=1e-6)
    assert computed_signal(fit, 500.0)[4, 14, 14] == pytest.approx(300 * np.exp(-0.5), rel=1e-6)
    assert signal[0, 0, 0] == 0


def test_percentiles_become_0_and_1_and_the_rest_is_clipped():
    image = np.arange(101, dtype=np.float32).reshape(1, 1, 101)
    unit = to_unit_range(image, "t1")
    assert unit[0, 0, 1] == 0
    assert unit[0, 0, 99] == pytest.approx(1)
    assert unit[0, 0, 50] == pytest.approx(0.5)
    assert unit.min() == 0
    assert unit.max() == 1
    with pytest.raises(UnusableImages, match="t1 is the same"):
        to_unit_range(np.ones((2, 2, 2), np.float32), "t1")


def test_both_channels_lie_on_the_models_grid_in_the_unit_range():
    fit, geometry = _body()
    t1 = MagnitudeImage(400 - fit.s0, geometry)
    given = focal_input(fit, geometry, t1, _spec())
    assert given.geometry.spacing_mm == pytest.approx((4.0, 3.0, 3.0))
    assert given.array.shape == (2, *given.geometry.shape)
    assert (given.array.min(), given.array.max()) == (0, 1)
    k, j, i = np.round(given.geometry.to_index(geometry.to_patient_mm((5, 16, 15)))).astype(int)
    assert given.array[1, k, j, i] == 1
    assert given.array[0, k, j, i] < 0.3


def test_channels_that_a_focal_network_is_not_given_are_refused():
    fit, geometry = _body()
    t1 = MagnitudeImage(fit.s0, geometry)
    with pytest.raises(ModelMismatch, match="percentiles"):
        focal_input(fit, geometry, t1, _spec((Channel("adc_um2_s", "fixed", 1000.0, 3.5),)))


def test_a_known_motion_gives_what_registration_gives_when_it_finds_that_motion(monkeypatch):
    fit, geometry = _body()
    t1 = MagnitudeImage(400 - fit.s0, geometry)
    motion = np.eye(4)
    motion[:3, 3] = (3.0, 0.0, 4.0)
    monkeypatch.setattr("imaging.focal.rigid_motion", lambda *_: motion)
    registered = registered_input(fit, geometry, t1, _spec())
    monkeypatch.undo()
    moved = moved_input(fit, geometry, t1, _spec(), motion)
    assert np.array_equal(moved.given.array, registered.given.array)
    assert np.array_equal(moved.shown, registered.shown)
    assert moved.moved_mm == pytest.approx(5.0)
