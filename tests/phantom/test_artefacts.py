from __future__ import annotations

import numpy as np
import pytest

from phantom.artefacts import StationFlaws, apply_flaws


def _flaws(**changes):
    plain = {
        "gain": 1.0, "gain_spread": 0.0, "bias": 0.0, "sigma": 0.0, "ghost": 0.0,
        "shift_rows": {900.0: 0.0}, "scale_rows": {900.0: 0.0},
    }  # fmt: skip
    return StationFlaws(**(plain | changes))


def _image():
    image = np.zeros((3, 8, 6), np.float32)
    image[:, 2, :] = 10.0
    return image


def test_without_flaws_nothing_changes():
    assert apply_flaws(_image(), 900.0, _flaws(), np.random.default_rng(1)) == pytest.approx(
        _image()
    )


def test_a_shift_moves_rows_by_that_many_pixels():
    moved = apply_flaws(_image(), 900.0, _flaws(shift_rows={900.0: 1.5}), np.random.default_rng(1))
    assert moved[0, :, 0] == pytest.approx([0, 0, 0, 5, 5, 0, 0, 0])


def test_a_ghost_lies_half_a_field_of_view_away():
    seen = apply_flaws(_image(), 900.0, _flaws(ghost=0.1), np.random.default_rng(1))
    assert seen[0, 6, 0] == pytest.approx(1.0)


def test_gain_scales_and_noise_has_a_floor():
    flaws = _flaws(gain=1.2)
    assert apply_flaws(_image(), 900.0, flaws, np.random.default_rng(1))[0, 2, 0] == pytest.approx(
        12
    )
    empty = np.zeros((20, 40, 40), np.float32)
    noise = apply_flaws(empty, 900.0, _flaws(sigma=2.0), np.random.default_rng(1))
    assert noise.mean() == pytest.approx(2.0 * np.sqrt(np.pi / 2), rel=0.01)  # Rayleigh


def test_station_gains_stay_between_their_limits():
    rng = np.random.default_rng(2)
    gains = [_flaws(gain_spread=0.5).for_station(rng).gain for _ in range(50)]
    assert min(gains) == 0.75
    assert max(gains) == 1.3
