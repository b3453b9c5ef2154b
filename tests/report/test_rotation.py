from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from imaging.geometry import Geometry
from report.content import ReportImages
from report.mip import Body, View, find_window, project
from report.mip_series import mip_series
from report.rotation import rotating, turntable


def body_of(signal, adc=None, spacing_mm=(5.0, 2.0, 2.0)):
    nothing = np.full(signal.shape, np.nan, np.float32)
    return Body(signal.astype(np.float32), nothing if adc is None else adc, spacing_mm)


@pytest.fixture(scope="module")
def man():
    """A trunk with a bright spot at its front, and one arm on the patient's left."""
    signal = np.zeros((6, 40, 60))
    rows, columns = np.ogrid[:40, :60]
    signal[:, ((rows - 20) / 12) ** 2 + ((columns - 30) / 18) ** 2 < 1] = 20.0
    signal[1:3, 17:23, 52:56] = 30.0
    signal[4, 9:12, 29:32] = 100.0
    adc = np.full(signal.shape, np.nan, np.float32)
    adc[4, 9:12, 29:32] = 800.0
    return body_of(signal, adc)


def levels(body, signal):
    window = find_window(project(body, View.CORONAL))
    return 255 * np.clip((signal - window.low) / (window.high - window.low), 0, 1)


def test_the_first_frame_is_the_projection_from_the_front(man):
    front = levels(man, project(man, View.CORONAL).signal)
    frame = turntable(man, pixel_mm=2.0).frame(0.0)
    # the field is as wide as the body: columns 12 to 55 are shown, the axis between them
    middle = (frame.signal.shape[1] - 1) // 2
    shown = frame.signal[:, middle - 20 : middle + 20]
    assert np.abs(shown - (front[:, 13:53] + front[:, 14:54]) / 2).mean() < 4.0
    assert frame.pixel_mm == (5.0, 2.0)
    assert frame.signal[1].max() == 255  # slice 4 of 0 to 5 is the second row from the head


@pytest.mark.parametrize("degrees", [37.0, 90.0, 141.0])
def test_turning_agrees_with_interpolating_each_slice_anew(man, degrees):
    table = turntable(man, pixel_mm=2.0)
    n, slices = table.n_side, table.signal.shape[1]
    grid = table.signal[:-1].reshape(n, n, slices).astype(float)
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    offset = (n - 1) / 2 - turn @ np.full(2, (n - 1) / 2)
    expected = np.stack(
        [
            ndimage.affine_transform(grid[..., k], turn, offset, order=0).max(axis=0)
            for k in range(slices)
        ]
    )
    frame = table.frame(degrees)
    assert (np.abs(frame.signal - expected) > 1).mean() < 0.01


def test_a_quarter_turn_brings_the_front_to_the_viewers_right(man):
    frames = list(rotating(man, step_degrees=90.0))
    assert len(frames) == 4
    middle = (frames[0].signal.shape[1] - 1) / 2
    bright = [np.flatnonzero(frame.signal[1] == 255).mean() - middle for frame in frames]
    assert abs(bright[0]) < 8
    assert bright[1] > 12
    assert abs(bright[2]) < 8
    assert bright[3] < -12


def test_disease_turns_with_its_signal_and_has_the_class_of_its_adc(man):
    for frame in rotating(man, step_degrees=30.0):
        row, columns = np.nonzero(frame.classes)
        assert set(row) == {1}
        assert set(frame.classes[1, columns]) == {1}  # 800 is low
        bright = np.flatnonzero(frame.signal[1] > 250)
        assert columns.mean() == pytest.approx(bright.mean(), abs=1.5)
        assert np.ptp(columns) + 1 == len(set(columns))  # no gaps between voxels


def test_the_view_from_behind_mirrors_the_one_from_the_front(man):
    table = turntable(man)
    for front, behind in zip(
        list(rotating(man, 60.0))[:3], list(rotating(man, 60.0))[3:], strict=True
    ):
        assert np.array_equal(behind.signal, front.signal[:, ::-1])
    exact = table.frame(180.0).signal
    assert np.array_equal(exact, table.frame(0.0).signal[:, ::-1])


def test_steps_that_do_not_make_half_a_turn_are_refused(man):
    with pytest.raises(ValueError, match="7 degrees"):
        next(rotating(man, step_degrees=7.0))


def test_frames_for_the_pacs_are_inverted_and_marked_and_name_nobody():
    geometry = Geometry.axial((30, 40, 60), (10.0, 5.0, 5.0), (0.0, 0.0, 0.0))
    signal = np.zeros(geometry.shape, np.float32)
    signal[:, 8:32, 10:50] = 20.0
    disease = np.zeros(geometry.shape, np.bool_)
    disease[12:18, 12:20, 30:40] = True
    images = ReportImages(geometry, signal, np.full_like(signal, 800.0), disease)
    series = mip_series(images, (900.0, 1400.0))
    assert series.plain.shape[0] == 120
    assert series.step_degrees == 3.0
    assert series.overlay.shape == (*series.plain.shape, 3)
    assert series.plain.shape[2] % 2 == 0
    body, band = series.plain[:, :-30], series.plain[:, -30:]
    assert (band == band[0]).all()
    assert band[0].min() < 100  # letters
    assert np.bincount(body.ravel()).argmax() == 255  # air is white
    orange = np.abs(series.overlay[0].astype(int) - (0xD5, 0x5E, 0)).max(axis=-1) <= 40
    assert orange[:-30].any()
    again = mip_series(images, (900.0, 1400.0))
    assert np.array_equal(series.overlay, again.overlay)
