"""Half a turn in one picture: which frame lies where, and the earlier study in the same window."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from imaging.geometry import Geometry
from report.content import ReportImages
from report.mip_series import mip_series, prior_series
from report.sprite import COLUMNS, N_FRAMES, frame_size, sprite

THRESHOLDS = (900.0, 1400.0)


def body(signal_inside: float) -> ReportImages:
    geometry = Geometry.axial((30, 40, 60), (10.0, 5.0, 5.0), (0.0, 0.0, 0.0))
    signal = np.zeros(geometry.shape, np.float32)
    signal[:, 8:32, 10:50] = signal_inside
    signal[10:20, 12:20, 20:40] = 2 * signal_inside
    disease = np.zeros(geometry.shape, np.bool_)
    disease[12:18, 12:20, 30:40] = True
    return ReportImages(geometry, signal, np.full_like(signal, 800.0), disease)


@pytest.mark.parametrize("colours", [(), (3,)])
def test_every_frame_is_at_its_place(colours, tmp_path):
    levels = np.arange(120, dtype=np.uint8) * 2
    frames = np.broadcast_to(levels.reshape(-1, *[1] * (2 + len(colours))), (120, 24, 16, *colours))
    path = tmp_path / "turn.webp"
    path.write_bytes(sprite(np.ascontiguousarray(frames)))
    size = frame_size(path)
    assert (size.width, size.height) == (16, 24)
    with Image.open(path) as picture:
        assert picture.size == (16 * COLUMNS, 24 * N_FRAMES // COLUMNS)
        shown = np.asarray(picture.convert("L")).astype(int)
    for frame in range(N_FRAMES):
        row, column = divmod(frame, COLUMNS)
        middle = shown[24 * row + 12, 16 * column + 8]
        assert abs(middle - 2 * frame) <= 3


def test_equal_frames_give_equal_bytes():
    series = mip_series(body(20.0), THRESHOLDS)
    assert sprite(series.overlay) == sprite(mip_series(body(20.0), THRESHOLDS).overlay)


def test_a_frame_looks_like_the_one_that_goes_to_the_pacs():
    series = mip_series(body(20.0), THRESHOLDS)
    height, width = series.plain.shape[1:]
    with Image.open(io.BytesIO(sprite(series.overlay))) as picture:
        shown = np.asarray(picture.convert("RGB")).astype(int)
    row, column = divmod(23, COLUMNS)
    cell = shown[row * height : (row + 1) * height, column * width : (column + 1) * width]
    assert np.abs(cell - series.overlay[23]).mean() < 5.0


def test_the_earlier_study_is_drawn_in_the_window_of_this_one():
    now = body(20.0)
    assert prior_series(now, THRESHOLDS) is None
    same = prior_series(replace(now, prior=body(20.0)), THRESHOLDS)
    assert same is not None
    assert np.array_equal(same.overlay, mip_series(now, THRESHOLDS).overlay[:N_FRAMES])
    fainter = prior_series(replace(now, prior=body(10.0)), THRESHOLDS)
    assert fainter is not None
    inside = np.s_[0, 60, 20:30]
    assert fainter.plain[inside].mean() > same.plain[inside].mean()  # less signal is brighter


def test_a_file_that_is_no_sprite_is_an_error(tmp_path):
    (tmp_path / "x.webp").write_bytes(b"nothing")
    with pytest.raises(OSError, match="cannot identify"):
        frame_size(tmp_path / "x.webp")
