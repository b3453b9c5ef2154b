import numpy as np
import pytest

from imaging.agreement import dice
from imaging.body import body_mask
from tests.imaging.bodies import whole_body


@pytest.mark.parametrize("noise", [1.0, 6.0])
def test_the_body_is_found_in_noise(noise):
    volume, inside, _ = whole_body(30, noise=noise)
    assert dice(body_mask(volume.images[50.0]), inside) > 0.97


def test_a_hole_is_inside_the_body_and_specks_are_not():
    image = np.zeros((6, 61, 63), dtype=np.float32)
    image[:, 10:50, 10:50] = 100.0
    image[:, 20:30, 20:30] = 0.0
    image[:, 3, 58] = 100.0
    mask = body_mask(image)
    assert mask.shape == image.shape
    assert mask[:, 24, 24].all()
    assert not mask[:, :6, 54:].any()


def test_an_arm_apart_from_the_trunk_is_body():
    image = np.zeros((10, 60, 80), dtype=np.float32)
    image[:, 10:50, 10:50] = 100.0
    image[:, 26:36, 60:70] = 60.0
    assert body_mask(image)[:, 30, 64].all()


def test_no_signal_is_no_body():
    assert not body_mask(np.zeros((3, 20, 20), dtype=np.float32)).any()
