from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import numpy as np
from PIL import Image

from imaging.coverage import BodyCoverage
from imaging.measurement import ClassVolumes
from report.lettering import font
from report.picture import result_picture

ORANGE = (0xD5, 0x5E, 0x00)


def _pixels(data):
    with Image.open(BytesIO(data)) as picture:
        return np.array(picture).astype(int)


def test_picture_has_its_size_and_is_the_same_every_time(content, images):
    data = result_picture(content, images, scale=1.0)
    assert data == result_picture(content, images, scale=1.0)
    with Image.open(BytesIO(data)) as picture:
        assert picture.size[1] == 600
        assert not picture.info


def test_overlay_and_histogram_use_the_class_colour(content, images):
    pixels = _pixels(result_picture(content, images, scale=1.0))
    orange = (np.abs(pixels - ORANGE).max(axis=-1) <= 3).any(axis=0)
    assert orange[700:].any()  # histogram, legend and regions on the right
    plain = replace(images, disease=np.zeros_like(images.disease))
    other = _pixels(result_picture(content, plain, scale=1.0))
    changed = (pixels[100:520] != other[100:520]).any(axis=(0, 2))
    assert changed[:690].any()


def test_the_numbers_shown_are_the_measurements(content, images):
    pixels = _pixels(result_picture(content, images, scale=1.0))
    more = replace(content, measurement=replace(content.measurement, tdv_ml=99.0))
    other = _pixels(result_picture(more, images, scale=1.0))
    rows, columns = np.nonzero((pixels != other).any(axis=-1))
    assert rows.size > 0
    assert rows.max() < 130  # only the first card changed
    assert columns.min() > 690


def test_a_body_without_disease_has_a_picture(content, images):
    nothing = ClassVolumes(0.0, 0.0, 0.0)
    healthy = replace(
        content.measurement, tdv_ml=0.0, adc=None, classes=nothing, n_lesions=0, regions=(),
        lesions=(),
    )  # fmt: skip
    plain = replace(images, disease=np.zeros_like(images.disease))
    data = result_picture(replace(content, measurement=healthy), plain, scale=1.0)
    assert _pixels(data).shape[0] == 600


def test_the_font_has_every_sign_that_is_written():
    letters = font(20)
    unknown = bytes(letters.getmask("\uffff"))
    for sign in "µ²·–…×±≥≤→ÅéßL01":  # noqa: RUF001
        assert bytes(letters.getmask(sign)) != unknown, sign


def test_a_partial_body_is_marked_in_red_under_the_title(content, images):
    complete = replace(content, measurement=replace(content.measurement, coverage=BodyCoverage()))
    marked = _pixels(result_picture(content, images, caption="Synthetic", scale=1.0))
    plain = _pixels(result_picture(complete, images, caption="Synthetic", scale=1.0))
    rows, columns = np.nonzero((marked != plain).any(axis=-1))
    assert rows.min() >= 45
    assert rows.max() <= 62
    red = marked[rows.min() : rows.max(), columns.min() : columns.max()].astype(int)
    assert (red[..., 0] - red[..., 1]).max() > 100
