from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from imaging.geometry import Geometry
from report.content import ReportImages
from report.mip import (
    Body,
    Projection,
    View,
    Window,
    crop_to_body,
    find_window,
    foreground,
    project,
    stand,
)
from report.mip_image import draw, mip_png, size_px

ORANGE = (0xD5, 0x5E, 0x00)


def test_coronal_projection_has_exact_values():
    # two slices, two rows, three columns; the largest of both rows, head (slice 1) first
    signal = np.array([[[1, 2, 3], [4, 1, 0]], [[9, 0, 0], [0, 7, 5]]], dtype=np.float32)
    body = Body(signal, np.full(signal.shape, np.nan, np.float32), (5.0, 2.0, 3.0))
    projection = project(body, View.CORONAL)
    assert projection.signal.tolist() == [[9, 7, 5], [4, 2, 3]]
    assert projection.pixel_mm == (5.0, 3.0)
    assert not projection.classes.any()


def test_sagittal_projection_has_exact_values():
    signal = np.array([[[1, 2, 3], [4, 1, 0]], [[9, 0, 0], [0, 7, 5]]], dtype=np.float32)
    body = Body(signal, np.full(signal.shape, np.nan, np.float32), (5.0, 2.0, 3.0))
    projection = project(body, View.SAGITTAL)
    assert projection.signal.tolist() == [[9, 7], [3, 4]]
    assert projection.pixel_mm == (5.0, 2.0)


def test_class_is_that_of_the_mean_adc_of_the_disease_on_the_ray():
    # one slice; columns: no disease, 700 and 900 (mean 800), 900 and 1900 (mean 1400), 1401
    nan = np.nan
    adc = np.array([[[nan, 700, 900, 1401], [nan, 900, 1900, nan]]], dtype=np.float32)
    body = Body(np.ones(adc.shape, np.float32), adc, (5.0, 2.0, 2.0), (900.0, 1400.0))
    assert project(body, View.CORONAL).classes.tolist() == [[0, 1, 2, 3]]


@pytest.mark.parametrize("columns_to_left", [True, False])
def test_the_patients_left_is_on_the_viewers_right(columns_to_left):
    step = 3.0 if columns_to_left else -3.0
    affine = np.array([[0, 0, step, 0], [0, 2, 0, 0], [5, 0, 0, 0], [0, 0, 0, 1]], dtype=float)
    geometry = Geometry((2, 2, 4), affine)
    signal = np.zeros(geometry.shape, np.float32)
    left = 3 if columns_to_left else 0  # the column with the largest x
    signal[1, 0, left] = 50.0
    images = ReportImages(geometry, signal, signal, np.zeros(geometry.shape, np.bool_))
    projection = project(stand(images), View.CORONAL)
    assert np.argwhere(projection.signal == 50.0).tolist() == [[0, 3]]


def test_adc_outside_the_disease_is_not_shown(images):
    body = stand(images)
    assert np.argwhere(~np.isnan(body.adc_um2_s)).tolist() == [[4, 3, 7]]
    assert np.argwhere(project(body, View.CORONAL).classes).tolist() == [[1, 7]]


def test_window_ignores_air_and_one_hot_pixel():
    signal = np.zeros((40, 40), np.float32)
    signal[10:30, 10:30] = 50.0
    signal[0:2, 0] = 1000.0  # 2 of 1600 pixels
    projection = _plain(signal)
    assert find_window(projection).high == pytest.approx(50.0, rel=0.01)


def test_noisy_air_is_no_body_and_is_shown_white():
    noise = np.random.default_rng(0).uniform(9.0, 11.0, (60, 40))
    signal = noise.astype(np.float32)
    signal[:, 10:30] = 40.0
    projection = _plain(signal)
    inside = foreground(projection)
    assert inside[:, 10:30].all()
    assert inside.sum() == 60 * 20
    assert find_window(projection).low == pytest.approx(40.0)


def test_crop_keeps_the_whole_length_and_the_margin():
    signal = np.zeros((4, 30), np.float32)
    signal[1:3, 10:20] = 9.0
    cropped = crop_to_body(_plain(signal), margin_mm=6.0)  # 3 pixels of 2 mm
    assert cropped.signal.shape == (4, 16)


def test_signal_is_dark_and_the_scale_is_linear():
    projection = _plain(np.array([[0.0, 10.0], [15.0, 40.0]], np.float32))
    picture = draw(projection, Window(10.0, 20.0), (2, 2), overlay=False)
    assert np.array(picture)[..., 0].tolist() == [[255, 255], [128, 0]]


def test_overlay_colours_disease_and_nothing_else():
    signal = np.zeros((3, 3), np.float32)
    projection = replace(_plain(signal), classes=np.eye(3, dtype=np.uint8))
    picture = np.array(draw(projection, Window(0.0, 1.0), (3, 3), overlay=True))
    white = [255, 255, 255]
    assert picture[0, 1].tolist() == white
    # 85 % of the class colour over white
    expected = [round(0.85 * c + 0.15 * 255) for c in ORANGE]
    assert np.abs(picture[1, 1].astype(int) - expected).max() <= 2
    plain = np.array(draw(projection, Window(0.0, 1.0), (3, 3), overlay=False))
    assert (plain == 255).all()


def test_picture_has_the_bodys_proportions():
    projection = replace(_plain(np.zeros((100, 60), np.float32)), pixel_mm=(5.0, 2.5))
    assert size_px(projection, 1.0) == (150, 500)


def test_png_is_the_same_every_time_and_names_nothing(images):
    data = mip_png(images)
    assert data == mip_png(images)
    with Image.open(BytesIO(data)) as picture:
        assert picture.format == "PNG"
        assert not picture.info
        # 6 slices of 5 mm; 8 body columns of 4 mm and the margins that the field has
        assert picture.size == (40, 30)


def test_png_marks_disease_on_the_viewers_right_in_its_class_colour(images):
    with Image.open(BytesIO(mip_png(images, px_per_mm=10.0))) as picture:
        pixels = np.array(picture).astype(int)
    row, column = 75, 300  # slice 4 is the second row of 50 px, column 7 of 40 px
    assert pixels[row, column].tolist() == pytest.approx([0.85 * c for c in ORANGE], abs=6)
    assert pixels[row, 400 - column].tolist() != pixels[row, column].tolist()


def test_research_line_is_burnt_in(images):
    with Image.open(BytesIO(mip_png(images, px_per_mm=20.0, overlay=False))) as picture:
        pixels = np.array(picture).astype(int)
    red = (pixels[..., 0] > 120) & (pixels[..., 1] < 60) & (pixels[..., 2] < 80)
    rows = np.flatnonzero(red.any(axis=1))
    assert red.sum() > 20
    assert rows.min() > 0.9 * len(pixels)


def _plain(signal):
    return Projection(signal, np.zeros(signal.shape, np.uint8), (2.0, 2.0))
