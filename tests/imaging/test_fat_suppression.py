import numpy as np
import pytest

from imaging.anatomy import BY_NAME
from imaging.fat_suppression import fat_suppression_note
from imaging.geometry import Geometry
from imaging.rim import body_rim, far_air

GRID = Geometry.axial((80, 60, 60), (5.0, 4.0, 4.0), (0.0, 0.0, -100.0))
BODY = np.zeros(GRID.shape, dtype=bool)
BODY[:, 15:45, 10:50] = True
NOTHING = np.zeros(GRID.shape, dtype=np.uint8)


def scene(share=0.0, slices=slice(40, 60), signal=0.6, adc=300.0, *, together=True):
    """Dark fat all around; `share` of the rim's voxels in `slices` (100 mm) is bright."""
    normalised = np.where(BODY, np.float32(0.1), np.float32(0.0))
    values = np.full(GRID.shape, 1200.0, dtype=np.float32)
    bright = np.zeros(GRID.shape, dtype=bool)
    rim = np.argwhere(body_rim(BODY, GRID, 15.0)[0])
    chosen = rim[: round(share * len(rim))] if together else rim[:: round(1 / share)]
    bright[slices, chosen[:, 0], chosen[:, 1]] = True
    normalised[bright], values[bright] = signal, adc
    return normalised, values


def note_of(scene, labels=NOTHING):
    return fat_suppression_note(*scene, BODY, labels, GRID)


def test_the_rim_is_what_lies_near_the_outline():
    rim = body_rim(BODY, GRID, 15.0)  # 4 pixels
    assert rim[0].sum() == 30 * 40 - 22 * 32
    assert not rim[0, 30, 30]


def test_far_air_keeps_its_distance():
    air = far_air(BODY, GRID, 20.0)  # 5 pixels
    assert not air[0, 10:50, 5:55].any()
    assert air[0].sum() == 3600 - 40 * 50


def test_bright_fat_in_one_block_is_named_with_its_place():
    note = note_of(scene(share=0.10))
    assert (note.code, note.severity) == ("FAT_SUPPRESSION", "warning")
    assert note.measured == pytest.approx(0.10, abs=0.01)
    assert "z 100 to 200 mm" in note.text


def test_dark_fat_and_little_of_it_bright_give_no_note():
    assert note_of(scene()) is None
    assert note_of(scene(share=0.02)) is None


def test_scattered_bright_voxels_are_noise():
    assert note_of(scene(share=0.1, together=False)) is None


def test_what_diffuses_or_is_dark_is_no_fat():
    assert note_of(scene(share=0.3, adc=1100.0)) is None
    assert note_of(scene(share=0.3, signal=0.28)) is None


def test_a_skull_in_the_rim_is_no_fat():
    normalised, adc = scene(share=0.3)
    labels = np.where(normalised > 0.35, np.uint8(BY_NAME["skull"].label), np.uint8(0))
    assert note_of((normalised, adc), labels) is None


def test_a_body_of_a_few_voxels_is_not_judged():
    normalised, adc = scene(share=1.0)
    few = BODY & (np.arange(80) < 1)[:, None, None]
    assert fat_suppression_note(normalised, adc, few, NOTHING, GRID) is None
