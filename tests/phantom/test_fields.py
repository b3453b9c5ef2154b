from __future__ import annotations

import numpy as np
import pytest

from phantom.fields import smooth_noise, stretch


def test_stretch_keeps_the_corners_and_is_linear_between():
    coarse = np.array([[[0.0, 4.0]], [[2.0, 6.0]]], dtype=np.float32)  # (2, 1, 2)
    fine = stretch(coarse, (3, 2, 5))
    assert fine[0, 0].tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert fine[1, 1].tolist() == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert fine[2, 0].tolist() == [2.0, 3.0, 4.0, 5.0, 6.0]


def test_stretch_leaves_its_input_alone():
    coarse = np.arange(8, dtype=np.float32).reshape(2, 2, 2)
    before = coarse.copy()
    stretch(coarse, (2, 2, 2))
    assert np.array_equal(coarse, before)


def test_noise_is_centred_with_unit_deviation_and_grows_smoother_with_the_cell():
    def roughness(cell: float) -> float:
        field = smooth_noise((40, 40, 40), (cell, cell, cell), np.random.default_rng(3))
        assert abs(float(field.mean())) < 0.25
        assert float(field.std()) == pytest.approx(0.75, abs=0.3)  # interpolation takes some
        return float(np.abs(np.diff(field, axis=2)).mean())

    assert roughness(10.0) < 0.5 * roughness(3.0)
