"""Projections as images: inverted grey, disease in the colours of its ADC class, PNG bytes."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from report.adc_classes import CLASSES, DEFAULT_THRESHOLDS_UM2_S
from report.lettering import RESEARCH_USE_ONLY, font
from report.mip import View, crop_to_body, find_window, project, stand

if TYPE_CHECKING:
    from report.content import ReportImages
    from report.mip import Projection, Window

_SIDES = {View.CORONAL: ("R", "L"), View.SAGITTAL: ("A", "P")}
_OPACITY = 0.85
_GREY = "#6B6B6B"
_RED = "#B00020"


def draw(
    projection: Projection, window: Window, size_px: tuple[int, int], *, overlay: bool
) -> Image.Image:
    """Draw a projection as RGB of `size_px` (width, height): high signal dark, as a MIP is read."""
    picture = draw_grey(projection, window, size_px).convert("RGB")
    return overlaid(picture, projection) if overlay else picture


def draw_grey(projection: Projection, window: Window, size_px: tuple[int, int]) -> Image.Image:
    """Draw the signal of a projection in 256 steps of grey: high signal dark."""
    share = (projection.signal - window.low) / (window.high - window.low)
    grey = np.round(255.0 * (1.0 - np.clip(share, 0.0, 1.0))).astype(np.uint8)
    return Image.fromarray(grey).resize(size_px, Image.Resampling.BICUBIC)


def overlaid(picture: Image.Image, projection: Projection) -> Image.Image:
    """Colour the disease of a projection by its class; changes `picture`, which is RGB."""
    for number, adc_class in enumerate(CLASSES, start=1):
        here = projection.classes == number
        if not here.any():
            continue
        mask = np.where(here, 255 * _OPACITY, 0).astype(np.uint8)
        smooth = Image.fromarray(mask).resize(picture.size, Image.Resampling.BILINEAR)
        picture.paste(adc_class.fill, (0, 0, *picture.size), smooth)
    return picture


def mark(picture: Image.Image, view: View) -> Image.Image:
    """Burn in which side is which and that the picture is for research; changes `picture`."""
    pen = ImageDraw.Draw(picture)
    width, height = picture.size
    size = max(9, height // 50)
    left, right = _SIDES[view]
    pen.text((size // 2, size // 2), left, _GREY, font(size), anchor="la")
    pen.text((width - size // 2, size // 2), right, _GREY, font(size), anchor="ra")
    small = max(8, height // 65)
    at = (width // 2, height - small // 2)
    pen.text(
        at,
        RESEARCH_USE_ONLY,
        _RED,
        font(small, bold=True),
        anchor="md",
        stroke_width=1,
        stroke_fill="white",
    )
    return picture


def mip_png(
    images: ReportImages,
    view: View = View.CORONAL,
    *,
    overlay: bool = True,
    thresholds_um2_s: tuple[float, float] = DEFAULT_THRESHOLDS_UM2_S,
    px_per_mm: float = 1.0,
) -> bytes:
    """Return one marked projection as PNG bytes, cropped to the body, square pixels.

    Equal images give equal bytes on one version of Pillow.
    """
    body = stand(images, thresholds_um2_s)
    window = find_window(project(body, View.CORONAL))
    projection = crop_to_body(project(body, view))
    picture = draw(projection, window, size_px(projection, px_per_mm), overlay=overlay)
    return png_bytes(mark(picture, view))


def size_px(projection: Projection, px_per_mm: float) -> tuple[int, int]:
    """Return (width, height) that show the projection with square pixels."""
    rows, columns = projection.signal.shape
    height_mm, width_mm = rows * projection.pixel_mm[0], columns * projection.pixel_mm[1]
    return (max(1, round(width_mm * px_per_mm)), max(1, round(height_mm * px_per_mm)))


def png_bytes(picture: Image.Image) -> bytes:
    """Encode without anything that varies: no time, no text, a fixed compression."""
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=False, compress_level=6)
    return file.getvalue()
