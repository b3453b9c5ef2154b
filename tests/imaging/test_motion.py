import numpy as np
import pytest

from imaging.body import body_mask
from imaging.geometry import Geometry
from imaging.motion import motion_note, shift_between_mm
from tests.imaging.bodies import whole_body

VOLUME, INSIDE, _ = whole_body(n_slices=24, noise=4.0)
GRID = VOLUME.geometry  # 5 x 4 x 4 mm
LOW, HIGH = VOLUME.images[50.0], VOLUME.images[900.0]
BODY = body_mask(LOW)


def test_images_that_lie_on_each_other_have_not_moved():
    assert shift_between_mm(LOW, HIGH, BODY, GRID) < 0.5


@pytest.mark.parametrize(
    ("rows", "columns", "expected_mm"), [(2, 0, 8.0), (0, -3, 12.0), (3, 4, 20.0)]
)
def test_a_known_shift_is_found(rows, columns, expected_mm):
    moved = np.roll(HIGH, (rows, columns), axis=(1, 2))
    assert shift_between_mm(LOW, moved, BODY, GRID) == pytest.approx(expected_mm, abs=0.5)


def test_a_shift_along_the_body_is_found():
    assert shift_between_mm(LOW[2:], HIGH[:-2], BODY[2:], GRID) == pytest.approx(10.0, abs=2.5)


def test_noise_has_no_shift():
    noise = np.random.default_rng(0).rayleigh(4.0, LOW.shape).astype(np.float32)
    assert shift_between_mm(LOW, noise, BODY, GRID) is None


def test_the_note_names_what_moved_and_how_far():
    assert motion_note({"station 1": 4.9, "station 2": None}, GRID) is None
    note = motion_note({"station 1": 1.0, "station 2": 8.2, "station 3": 6.0}, GRID)
    assert (note.code, note.severity, note.measured) == ("MOTION", "warning", 8.2)
    assert "8 mm" in note.text
    assert "station 2, station 3" in note.text


def test_less_than_a_pixel_is_distortion():
    coarse = Geometry.axial((10, 20, 20), (5.0, 7.0, 7.0), (0.0, 0.0, 0.0))
    assert motion_note({"station 1": 6.5}, coarse) is None
    assert motion_note({"station 1": 7.5}, coarse) is not None
