import numpy as np
import pytest

from imaging.geometry import Geometry
from imaging.signal_to_noise import low_signal_note, noise_sigma, signal_to_noise

GRID = Geometry.axial((6, 80, 80), (5.0, 3.0, 3.0), (0.0, 0.0, 0.0))
BODY = np.zeros(GRID.shape, dtype=bool)
BODY[:, 25:55, 20:60] = True


def scene(signal, sigma):
    rng = np.random.default_rng(0)
    real, imaginary = rng.normal(0, sigma, (2, *GRID.shape))
    return np.hypot(np.where(BODY, signal, 0.0) + real, imaginary).astype(np.float32)


@pytest.mark.parametrize("sigma", [1.0, 4.0])
def test_the_noise_of_each_channel_is_found_in_air(sigma):
    assert noise_sigma(scene(50.0, sigma), ~BODY) == pytest.approx(sigma, rel=0.02)


def test_the_ratio_is_that_of_the_scene():
    # The median of magnitudes around 20 with sigma 1 is close to sqrt(20² + 1).
    assert signal_to_noise(scene(20.0, 1.0), BODY, GRID) == pytest.approx(20.02, rel=0.02)


def test_noise_alone_is_low_signal_and_a_usual_image_is_not():
    ratios = {
        "station 1": signal_to_noise(scene(0.0, 3.0), BODY, GRID),
        "station 2": signal_to_noise(scene(9.0, 3.0), BODY, GRID),
    }
    assert ratios["station 1"] == pytest.approx(1.18, abs=0.05)
    note = low_signal_note(ratios)
    assert (note.code, note.measured) == ("LOW_SIGNAL", ratios["station 1"])
    assert "station 1;" in note.text
    assert low_signal_note({"station 2": ratios["station 2"]}) is None


def test_blanked_air_tells_nothing():
    image = scene(20.0, 1.0)
    image[~BODY] = 0.0
    assert noise_sigma(image, ~BODY) is None
    assert signal_to_noise(image, BODY, GRID) is None
    assert low_signal_note({"station 1": None}) is None


def test_ghosts_beside_the_body_are_no_noise():
    image = scene(20.0, 1.0)
    image[:, 22:58, 17:63][~BODY[:, 22:58, 17:63]] = 15.0  # 9 mm around it
    assert signal_to_noise(image, BODY, GRID) == pytest.approx(20.02, rel=0.02)
