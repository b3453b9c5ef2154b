"""The result of a run as one picture: the body, the disease, the numbers.

For the README, the status page and the results folder. White paper, the colours of the ADC
classes always with words, "RESEARCH USE ONLY" burnt in, nothing that names a patient.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from report.bodies import stand_beside
from report.canvas import Canvas
from report.charts import histogram_panel
from report.documents import measurements_document
from report.headline import headline_cards, histogram_data, method_words, quality_words
from report.histogram import adc_histogram
from report.lettering import NOT_FOR_DIAGNOSIS, RESEARCH_USE_ONLY
from report.mip import View
from report.mip_image import png_bytes
from report.panels import headline, legend, regions_panel
from report.sheet import FAINT, INK, RED, SOFT, WHITE, Box, Ink
from report.shown import class_rows, coverage_in_words, region_rows

if TYPE_CHECKING:
    from report.bodies import Bodies
    from report.content import ReportContent, ReportImages
    from report.shown import Document

_CAPTION = Ink(10, SOFT)
_HEIGHT = 600.0
_MARGIN = 26.0
_GAP = 8.0
_BODY_TOP, _BODY_HEIGHT, _BODIES_WIDTH = 84.0, 452.0, 760.0
_NUMBERS_TOP, _NUMBERS_WIDTH, _NUMBERS_HEIGHT = 66.0, 318.0, 470.0


def result_picture(
    content: ReportContent, images: ReportImages, *, caption: str = "", scale: float = 2.0
) -> bytes:
    """Return the picture as PNG bytes, 600 layout units high and as wide as the body needs.

    Args:
        content: the numbers.
        images: the whole-body images that they were measured on.
        caption: one line under the title, such as "Synthetic patient, seed 1003". Never a
            patient's name or number: it is burnt in.
        scale: pixels a layout unit.

    """
    bodies = stand_beside(images, content.measurement.thresholds_um2_s)
    width = _per_mm(bodies) * _pairs_mm(bodies) + 3 * _GAP
    left = _MARGIN + max(width, 420.0) + 30.0
    canvas = Canvas(left + _NUMBERS_WIDTH + _MARGIN, _HEIGHT, scale)
    counted = content.histogram_ml or adc_histogram(images).volumes_ml
    document = measurements_document(replace(content, histogram_ml=counted))
    _head(canvas, caption, coverage_in_words(document))
    _draw_bodies(canvas, bodies, max(content.b_values, default=0))
    _draw_numbers(canvas, left, document)
    _foot(canvas, document)
    return png_bytes(canvas.image)


def _draw_numbers(canvas: Canvas, x: float, document: Document) -> None:
    y, width = _NUMBERS_TOP, _NUMBERS_WIDTH
    headline(canvas, Box(x, y, width, 62), headline_cards(document)[:3])
    histogram_panel(canvas, Box(x, y + 78, width, 184), histogram_data(document))
    legend(canvas, Box(x, y + 270, width, 54), class_rows(document))
    regions = Box(x, y + 342, width, _NUMBERS_HEIGHT - 342)
    regions_panel(canvas, regions, region_rows(document))


def _head(canvas: Canvas, caption: str, partial: str) -> None:
    title = Ink(20, INK, bold=True)
    canvas.text(_MARGIN, 38, "Osteon", title)
    after = _MARGIN + canvas.width_of("Osteon", title) + 12
    canvas.text(after, 38, "Bone disease on whole-body diffusion MRI", Ink(14, SOFT))
    words = Ink(11.5, WHITE, bold=True, anchor="mm")
    width = canvas.width_of(RESEARCH_USE_ONLY, words) + 20
    label = Box(canvas.width - _MARGIN - width, 20, width, 22)
    canvas.box(label, RED, radius=4)
    canvas.text(label.x + width / 2, label.y + 11, RESEARCH_USE_ONLY, words)
    canvas.text(_MARGIN, 57, caption, Ink(10.5, SOFT))
    if partial:
        _mark_partial(canvas, partial, canvas.width_of(caption, Ink(10.5, SOFT)) if caption else 0)
    canvas.text(canvas.width - _MARGIN, 56, NOT_FOR_DIAGNOSIS, Ink(9.5, RED, anchor="rs"))


def _mark_partial(canvas: Canvas, partial: str, caption_width: float) -> None:
    """Say beside the caption, in red, which regions the images do not show."""
    x = _MARGIN + (caption_width + 14 if caption_width else 0)
    warning = Ink(10.5, RED, bold=True)
    room = canvas.width - 260 - x
    canvas.text(x, 57, canvas.fitted(f"PARTIAL BODY ({partial})", warning, room), warning)


def _per_mm(bodies: Bodies) -> float:
    """Return the scale at which the bodies fill the height or the width."""
    return min(_BODY_HEIGHT / bodies.height_mm, (_BODIES_WIDTH - 3 * _GAP) / _pairs_mm(bodies))


def _pairs_mm(bodies: Bodies) -> float:
    """Return the width of two of each projection side by side."""
    return 2 * sum(bodies.width_mm(view) for view in View)


def _draw_bodies(canvas: Canvas, bodies: Bodies, b_value: float) -> None:
    """Coronal and sagittal projection, each plain and with the disease."""
    x = _MARGIN
    per_mm = _per_mm(bodies)
    for view in View:
        for overlay in (False, True):
            picture = bodies.picture(view, per_mm * canvas.scale, overlay=overlay)
            width, height = (length / canvas.scale for length in picture.size)
            frame = Box(x, _BODY_TOP, width, height)
            title = f"{view.value.title()} MIP, b {b_value:g}"
            words = "Disease by ADC class" if overlay else title
            canvas.text(frame.x, frame.y - 7, canvas.fitted(words, _CAPTION, width), _CAPTION)
            canvas.paste(picture, frame.x, frame.y)
            canvas.box(frame, None, FAINT)
            x = frame.right + _GAP


def _foot(canvas: Canvas, document: Document) -> None:
    canvas.line((_MARGIN, 552), (canvas.width - _MARGIN, 552), FAINT)
    small = Ink(9.5, SOFT)
    room = canvas.width - 2 * _MARGIN
    method = "  ·  ".join(method_words(document))
    canvas.text(_MARGIN, 569, canvas.fitted(method, small, room), small)
    canvas.text(_MARGIN, 584, canvas.fitted(quality_words(document), small, room), small)
