"""The rotating projections as pixels for the PACS: plain, and with the disease in colour.

"RESEARCH" and the sides of the body are burnt into every frame; nothing that names a patient is.
High signal is dark in the pixel values themselves, so that every viewer shows it so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from report.adc_classes import CLASSES
from report.lettering import RESEARCH_USE_ONLY, font
from report.mip import View, find_window, project, stand
from report.mip_image import draw_grey, overlaid, size_px
from report.rotation import LEVELS, STEP_DEGREES, half_turn, rotating

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from report.content import ReportImages
    from report.mip import Projection

PIXEL_MM = 2.5
"""Of the frames, square: whole-body diffusion is acquired with 2 to 4 mm."""
_BAND_PX = 30
_SMALL, _LARGE = 9, 12
_SIDES = ("L", "LA", "A", "RA", "R", "RP", "P", "LP")
"""On the viewer's right, by eighths of a turn."""
_GREY, _DARK = "#6B6B6B", "#303030"


@dataclass(frozen=True, eq=False)
class MipSeries:
    """Frames of a turn, the first from the front, seen from `step_degrees` further each."""

    plain: NDArray[np.uint8] = field(repr=False)
    """(frame, row, column)."""
    overlay: NDArray[np.uint8] = field(repr=False)
    """(frame, row, column, red green blue)."""
    step_degrees: float


def mip_series(images: ReportImages, thresholds_um2_s: tuple[float, float]) -> MipSeries:
    """Turn and draw a body: 120 frames, 2.5 mm a pixel, a white band with words below."""
    return _series(list(rotating(stand(images, thresholds_um2_s))), thresholds_um2_s)


def prior_series(images: ReportImages, thresholds_um2_s: tuple[float, float]) -> MipSeries | None:
    """Draw half a turn of the earlier study, in the window of this one; None where it is not kept.

    For the console, which shows both beside each other; it goes to no PACS a second time.
    """
    if images.prior is None:
        return None
    window = find_window(project(stand(images, thresholds_um2_s), View.CORONAL))
    half = half_turn(stand(images.prior, thresholds_um2_s), window=window)
    return _series(half, thresholds_um2_s)


def _series(frames: Sequence[Projection], thresholds_um2_s: tuple[float, float]) -> MipSeries:
    width, height = size_px(frames[0], 1 / PIXEL_MM)
    width += width % 2  # of uneven length a frame of bytes would need padding
    plain = np.empty((len(frames), height + _BAND_PX, width), np.uint8)
    overlay = np.empty((*plain.shape, 3), np.uint8)
    bands = _band((width, _BAND_PX), None), _band((width, _BAND_PX), thresholds_um2_s)
    for number, frame in enumerate(frames):
        grey, colours = _drawn(frame, (width, height), number * STEP_DEGREES)
        plain[number] = np.vstack([grey, np.asarray(bands[0].convert("L"))])
        overlay[number] = np.vstack([colours, np.asarray(bands[1])])
    return MipSeries(plain, overlay, STEP_DEGREES)


def _drawn(
    frame: Projection, size: tuple[int, int], degrees: float
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    grey = draw_grey(frame, LEVELS, size)
    colours = overlaid(grey.convert("RGB"), frame)
    return np.asarray(_sided(grey, degrees)), np.asarray(_sided(colours, degrees))


def _sided(picture: Image.Image, degrees: float) -> Image.Image:
    """Burn in which side is which, and how far the body is turned; changes `picture`."""
    pen = ImageDraw.Draw(picture)
    eighth = round(degrees / 45.0) % len(_SIDES)
    width = picture.width
    pen.text((4, 3), _SIDES[(eighth + 4) % len(_SIDES)], _GREY, font(_LARGE), anchor="la")
    pen.text((width - 4, 3), _SIDES[eighth], _GREY, font(_LARGE), anchor="ra")
    pen.text((width // 2, 3), f"{degrees:g}°", _GREY, font(_SMALL), anchor="ma")
    return picture


def _band(size: tuple[int, int], thresholds_um2_s: tuple[float, float] | None) -> Image.Image:
    """Draw the words below the body, and for frames with colours what these mean."""
    band = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(band)
    middle = size[0] // 2
    pen.text((middle, 2), RESEARCH_USE_ONLY, _DARK, font(_LARGE, bold=True), anchor="ma")
    if thresholds_um2_s is None:
        pen.text((middle, 17), "not for diagnosis", _DARK, font(_SMALL), anchor="ma")
        return band
    low, high = thresholds_um2_s
    words = (f"<{low:g}", f"{low:g}-{high:g}", f">{high:g}")
    letters = font(_SMALL)
    x = middle - sum(letters.getlength(word) + 14 for word in words) / 2
    for adc_class, word in zip(CLASSES, words, strict=True):
        pen.rectangle((x, 18, x + 7, 25), adc_class.fill, adc_class.line)
        pen.text((x + 10, 17), word, _DARK, letters, anchor="la")
        x += letters.getlength(word) + 14
    return band
