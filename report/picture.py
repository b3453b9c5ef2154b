"""The result of a run as one picture: the body, the disease, the numbers.

For the README, the status page and the results folder. White paper, the colours of the ADC
classes always with words, "RESEARCH USE ONLY" burnt in, nothing that names a patient.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from imaging.coverage import coverage_words
from report.canvas import FAINT, INK, RED, SOFT, WHITE, Box, Canvas, Ink
from report.histogram import adc_histogram
from report.lettering import NOT_FOR_DIAGNOSIS, RESEARCH_USE_ONLY
from report.mip import View, crop_to_body, find_window, project, stand
from report.mip_image import draw, mark, png_bytes, size_px
from report.panels import headline, histogram_panel, legend, regions_panel

if TYPE_CHECKING:
    from report.content import ReportContent, ReportImages
    from report.histogram import AdcHistogram
    from report.mip import Projection, Window

_CAPTION = Ink(10, SOFT)
_HEIGHT = 600.0
_MARGIN = 26.0
_GAP = 8.0
_BODY_TOP, _BODY_HEIGHT, _BODIES_WIDTH = 84.0, 452.0, 760.0
_NUMBERS_TOP, _NUMBERS_WIDTH, _NUMBERS_HEIGHT = 66.0, 318.0, 470.0


@dataclass(frozen=True, eq=False)
class _Bodies:
    """The projections at one window and one scale, in layout units a mm."""

    projections: dict[View, Projection]
    window: Window
    per_mm: float

    @property
    def width(self) -> float:
        """Of two of each projection side by side, in layout units."""
        return self.per_mm * _width_mm(self.projections) + 3 * _GAP


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
    bodies = _prepare(content, images)
    left = _MARGIN + max(bodies.width, 420.0) + 30.0
    canvas = Canvas(left + _NUMBERS_WIDTH + _MARGIN, _HEIGHT, scale)
    _head(canvas, caption, coverage_words(content.measurement.coverage))
    _draw_bodies(canvas, bodies, max(content.b_values, default=0))
    _draw_numbers(canvas, left, content, adc_histogram(images))
    _foot(canvas, content)
    return png_bytes(canvas.image)


def _draw_numbers(
    canvas: Canvas, x: float, content: ReportContent, histogram: AdcHistogram
) -> None:
    measurement = content.measurement
    y, width = _NUMBERS_TOP, _NUMBERS_WIDTH
    headline(canvas, Box(x, y, width, 62), measurement)
    histogram_panel(canvas, Box(x, y + 78, width, 184), histogram, measurement)
    legend(canvas, Box(x, y + 270, width, 54), measurement)
    regions_panel(canvas, Box(x, y + 342, width, _NUMBERS_HEIGHT - 342), measurement)


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


def _prepare(content: ReportContent, images: ReportImages) -> _Bodies:
    """Project, and find the scale at which the bodies fill the height or the width."""
    body = stand(images, content.measurement.thresholds_um2_s)
    whole = {view: project(body, view) for view in View}
    shown = {view: crop_to_body(projection) for view, projection in whole.items()}
    height_mm = max(p.signal.shape[0] * p.pixel_mm[0] for p in shown.values())
    per_mm = min(_BODY_HEIGHT / height_mm, (_BODIES_WIDTH - 3 * _GAP) / _width_mm(shown))
    return _Bodies(shown, find_window(whole[View.CORONAL]), per_mm)


def _width_mm(projections: dict[View, Projection]) -> float:
    return float(2 * sum(p.signal.shape[1] * p.pixel_mm[1] for p in projections.values()))


def _draw_bodies(canvas: Canvas, bodies: _Bodies, b_value: float) -> None:
    """Coronal and sagittal projection, each plain and with the disease."""
    x = _MARGIN
    for view, projection in bodies.projections.items():
        size = size_px(projection, bodies.per_mm * canvas.scale)
        frame = Box(x, _BODY_TOP, size[0] / canvas.scale, size[1] / canvas.scale)
        for overlay in (False, True):
            title = f"{view.value.title()} MIP, b {b_value:g}"
            words = "Disease by ADC class" if overlay else title
            canvas.text(frame.x, frame.y - 7, canvas.fitted(words, _CAPTION, frame.width), _CAPTION)
            picture = draw(projection, bodies.window, size, overlay=overlay)
            canvas.paste(mark(picture, view), frame.x, frame.y)
            canvas.box(frame, None, FAINT)
            frame = Box(frame.right + _GAP, frame.y, frame.width, frame.height)
        x = frame.x


def _foot(canvas: Canvas, content: ReportContent) -> None:
    canvas.line((_MARGIN, 552), (canvas.width - _MARGIN, 552), FAINT)
    provenance = content.provenance
    b_values = "/".join(f"{b:g}" for b in content.b_values)
    method = [f"ADC: {content.fit}, b {b_values} s/mm²"]
    method += [f"model {m.name} {m.version} ({m.sha256[:12]})" for m in provenance.models]
    method.append(provenance.burden.in_words())
    made = f"Osteon {provenance.software_version}, run {provenance.run_id}"
    small = Ink(9.5, SOFT)
    room = canvas.width - 2 * _MARGIN
    canvas.text(_MARGIN, 569, canvas.fitted("  ·  ".join([*method, made]), small, room), small)
    canvas.text(_MARGIN, 584, canvas.fitted(_quality(content), small, room), small)


def _quality(content: ReportContent) -> str:
    warnings = [note.text for note in content.quality if note.severity == "warning"]
    if not warnings:
        return "Quality: no warning"
    more = f" (and {len(warnings) - 1} more)" if len(warnings) > 1 else ""
    return f"Quality: {warnings[0]}{more}"
