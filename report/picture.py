"""The result of a run as one picture: the body, the disease, the numbers.

For the README, the status page and the results folder. White paper, the colours of the ADC
classes always with words, "RESEARCH USE ONLY" burnt in, nothing that names a patient.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from report.canvas import FAINT, INK, RED, SOFT, WHITE, Box, Canvas, Ink
from report.histogram import adc_histogram
from report.lettering import NOT_FOR_DIAGNOSIS, RESEARCH_USE_ONLY
from report.mip import View, crop_to_body, find_window, project, stand
from report.mip_image import draw, mark, png_bytes, size_px
from report.panels import headline, histogram_panel, legend, regions_panel

if TYPE_CHECKING:
    from report.content import ReportContent, ReportImages
    from report.mip import Projection, Window

_WIDTH, _HEIGHT = 1040.0, 600.0
_MARGIN = 26.0
_BODIES = Box(_MARGIN, 84.0, 640.0, 452.0)
_NUMBERS = Box(696.0, 66.0, _WIDTH - _MARGIN - 696.0, 470.0)
_GAP = 8.0


def result_picture(
    content: ReportContent, images: ReportImages, *, caption: str = "", scale: float = 2.0
) -> bytes:
    """Return the picture as PNG bytes, 1040 x 600 layout units at `scale` pixels a unit.

    Args:
        content: the numbers.
        images: the whole-body images that they were measured on.
        caption: one line under the title, such as "Synthetic patient, seed 1003". Never a
            patient's name or number: it is burnt in.
        scale: pixels a layout unit.

    """
    canvas = Canvas(_WIDTH, _HEIGHT, scale)
    _head(canvas, caption)
    _bodies(canvas, content, images)
    measurement = content.measurement
    x, y, width = _NUMBERS.x, _NUMBERS.y, _NUMBERS.width
    headline(canvas, Box(x, y, width, 62), measurement)
    histogram = adc_histogram(images)
    histogram_panel(canvas, Box(x, y + 78, width, 184), histogram, measurement)
    legend(canvas, Box(x, y + 270, width, 54), measurement)
    regions_panel(canvas, Box(x, y + 342, width, _NUMBERS.height - 342), measurement)
    _foot(canvas, content)
    return png_bytes(canvas.image)


def _head(canvas: Canvas, caption: str) -> None:
    title = Ink(20, INK, bold=True)
    canvas.text(_MARGIN, 38, "Osteon", title)
    after = _MARGIN + canvas.width_of("Osteon", title) + 12
    canvas.text(after, 38, "Bone disease on whole-body diffusion MRI", Ink(14, SOFT))
    words = Ink(11.5, WHITE, bold=True, anchor="mm")
    width = canvas.width_of(RESEARCH_USE_ONLY, words) + 20
    label = Box(_WIDTH - _MARGIN - width, 20, width, 22)
    canvas.box(label, RED, radius=4)
    canvas.text(label.x + width / 2, label.y + 11, RESEARCH_USE_ONLY, words)
    canvas.text(_MARGIN, 57, caption, Ink(10.5, SOFT))
    canvas.text(_WIDTH - _MARGIN, 56, NOT_FOR_DIAGNOSIS, Ink(9.5, RED, anchor="rs"))


def _bodies(canvas: Canvas, content: ReportContent, images: ReportImages) -> None:
    """Coronal and sagittal projection, each plain and with the disease, at one scale and window."""
    body = stand(images, content.measurement.thresholds_um2_s)
    whole = {view: project(body, view) for view in View}
    window = find_window(whole[View.CORONAL])
    shown = {view: crop_to_body(projection) for view, projection in whole.items()}
    per_mm = _fit(shown, _BODIES)
    x = _BODIES.x
    b_value = f"b {max(content.b_values, default=0):g}"
    for view, projection in shown.items():
        for overlay in (False, True):
            words = "disease by ADC class" if overlay else f"{view.value.title()} MIP, {b_value}"
            canvas.text(x, _BODIES.y - 7, words, Ink(10, SOFT))
            x += _one_body(canvas, (x, view), (projection, window, per_mm), overlay=overlay)
            x += _GAP


def _one_body(
    canvas: Canvas,
    place: tuple[float, View],
    what: tuple[Projection, Window, float],
    *,
    overlay: bool,
) -> float:
    """Draw one body and its frame; return its width in layout units."""
    (x, view), (projection, window, per_mm) = place, what
    size = size_px(projection, per_mm * canvas.scale)
    picture = mark(draw(projection, window, size, overlay=overlay), view)
    canvas.paste(picture, x, _BODIES.y)
    width, height = size[0] / canvas.scale, size[1] / canvas.scale
    canvas.box(Box(x, _BODIES.y, width, height), None, FAINT)
    return width


def _fit(shown: dict[View, Projection], box: Box) -> float:
    """Layout units a mm so that two of each projection stand side by side in the box."""
    height_mm = max(p.signal.shape[0] * p.pixel_mm[0] for p in shown.values())
    width_mm = 2 * sum(p.signal.shape[1] * p.pixel_mm[1] for p in shown.values())
    return float(min(box.height / height_mm, (box.width - 3 * _GAP) / width_mm))


def _foot(canvas: Canvas, content: ReportContent) -> None:
    canvas.line((_MARGIN, 552), (_WIDTH - _MARGIN, 552), FAINT)
    provenance = content.provenance
    b_values = "/".join(f"{b:g}" for b in content.b_values)
    method = [f"ADC: {content.fit}, b {b_values} s/mm²"]
    method += [f"model {m.name} {m.version} ({m.sha256[:12]})" for m in provenance.models]
    made = f"Osteon {provenance.software_version}, run {provenance.run_id}"
    small = Ink(9.5, SOFT)
    room = _WIDTH - 2 * _MARGIN
    canvas.text(_MARGIN, 569, canvas.fitted("  ·  ".join([*method, made]), small, room), small)
    canvas.text(_MARGIN, 584, canvas.fitted(_quality(content), small, room), small)


def _quality(content: ReportContent) -> str:
    warnings = [note.text for note in content.quality if note.severity == "warning"]
    if not warnings:
        return "Quality: no warning"
    more = f" (and {len(warnings) - 1} more)" if len(warnings) > 1 else ""
    return f"Quality: {warnings[0]}{more}"
