"""The parts of the result picture beside the body: headline numbers, histogram, legend, regions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imaging.anatomy import BY_NAME
from report.adc_classes import CLASSES, class_ranges
from report.canvas import FAINT, INK, PANEL, SOFT, Box, Ink
from report.rounding import present
from report.tables import volumes_ml

if TYPE_CHECKING:
    from imaging.measurement import ClassVolumes, Measurement
    from report.canvas import Canvas
    from report.histogram import AdcHistogram

_LABEL = Ink(9.5, SOFT)
_VALUE = Ink(23, INK, bold=True)
_UNIT = Ink(10, SOFT)
_ROW = Ink(10, INK)
_NUMBER = Ink(10, INK, anchor="rs")
_QUIET = Ink(10, SOFT, anchor="rs")
HEADING = Ink(11, INK, bold=True)


def headline(canvas: Canvas, box: Box, measurement: Measurement) -> None:
    """Three cards: TDV, median ADC of the disease (gADC), number of lesions."""
    adc = measurement.adc
    cards = (
        ("Total diffusion volume", present(measurement.tdv_ml, 1), "mL"),
        ("Median ADC (gADC)", present(None if adc is None else adc.median, 0), "µm²/s"),
        ("Lesions", str(measurement.n_lesions), ""),
    )
    shares = (0.40, 0.38, 0.22)
    gap = 8.0
    x = box.x
    for (label, value, unit), share in zip(cards, shares, strict=True):
        card = Box(x, box.y, (box.width - 2 * gap) * share, box.height)
        canvas.box(card, PANEL, FAINT, radius=5)
        canvas.text(card.x + 9, card.y + 18, label, _LABEL)
        canvas.text(card.x + 9, card.bottom - 12, value, _VALUE)
        after = card.x + 13 + canvas.width_of(value, _VALUE)
        canvas.text(after, card.bottom - 12, unit, _UNIT)
        x = card.right + gap


def histogram_panel(
    canvas: Canvas, box: Box, histogram: AdcHistogram, measurement: Measurement
) -> None:
    """Volume by ADC with the class thresholds and the median marked."""
    canvas.text(box.x, box.y + 9, "ADC of the disease", HEADING)
    plot = Box(box.x + 38, box.y + 20, box.width - 50, box.height - 50)
    top_ml = _round_up(max(histogram.volumes_ml))
    _grid(canvas, plot, top_ml)
    _bars(canvas, plot, histogram, top_ml, measurement.thresholds_um2_s)
    per_um2_s = plot.width / histogram.upper_um2_s
    for value in measurement.thresholds_um2_s:
        canvas.dashes(plot.x + value * per_um2_s, plot.y, plot.bottom, SOFT)
    for value in range(0, round(histogram.upper_um2_s) + 1, 500):
        x = plot.x + value * per_um2_s
        canvas.text(x, plot.bottom + 12, str(value), Ink(9, SOFT, anchor="ms"))
    middle = plot.x + plot.width / 2
    canvas.text(middle, plot.bottom + 27, "ADC, µm²/s", Ink(9.5, SOFT, anchor="ms"))
    if measurement.adc is not None:
        x = plot.x + measurement.adc.median * per_um2_s
        canvas.line((x, plot.y), (x, plot.bottom), INK)
        canvas.text(x + 4, plot.y + 7, "median", Ink(9, INK, halo=True))


def _grid(canvas: Canvas, plot: Box, top_ml: float) -> None:
    for share in (0.0, 0.5, 1.0):
        y = plot.bottom - share * plot.height
        canvas.line((plot.x, y), (plot.right, y), FAINT)
        words = f"{share * top_ml:g}" + (" mL" if share == 1.0 else "")
        canvas.text(plot.x - 5, y + 3, words, Ink(9, SOFT, anchor="rs"))


def _bars(
    canvas: Canvas,
    plot: Box,
    histogram: AdcHistogram,
    top_ml: float,
    thresholds_um2_s: tuple[float, float],
) -> None:
    width = plot.width / len(histogram.volumes_ml)
    for position, volume in enumerate(histogram.volumes_ml):
        if volume <= 0:
            continue
        centre_um2_s = (position + 0.5) * histogram.bin_um2_s
        number = sum(centre_um2_s > threshold for threshold in thresholds_um2_s)
        height = max(volume / top_ml * plot.height, 0.5)
        bar = Box(plot.x + position * width, plot.bottom - height, width * 0.9, height)
        canvas.box(bar, CLASSES[number].fill, CLASSES[number].line)


def _round_up(value: float) -> float:
    """Return the nearest of 1, 2, 4, 5, 10 times a power of ten that is not below `value`."""
    step = 0.001
    while True:
        for factor in (1, 2, 4, 5):
            if factor * step >= value:
                return factor * step
        step *= 10


def legend(canvas: Canvas, box: Box, measurement: Measurement) -> None:
    """One row a class: colour, name, range, volume and share, in words and numbers."""
    volumes = volumes_ml(measurement.classes)
    total = sum(volumes)
    ranges = class_ranges(measurement.thresholds_um2_s)
    for row, (adc_class, where, volume) in enumerate(zip(CLASSES, ranges, volumes, strict=True)):
        base = box.y + 11 + row * 18
        canvas.box(Box(box.x, base - 9, 11, 11), adc_class.fill, adc_class.line, radius=2)
        canvas.text(box.x + 18, base, f"{adc_class.name} ADC", _ROW)
        canvas.text(box.x + 208, base, f"{where} µm²/s", _QUIET)
        canvas.text(box.right - 46, base, f"{present(volume, 1)} mL", _NUMBER)
        share = 100 * volume / total if total > 0 else None
        canvas.text(box.right, base, f"{present(share, 0)} %", _QUIET)


def regions_panel(canvas: Canvas, box: Box, measurement: Measurement) -> None:
    """Show the regions with most disease: volume as a bar split by ADC class.

    Sums over regions, such as the whole skeleton, are no structures and left out.
    """
    row_height = 18.0
    diseased = [r for r in measurement.regions if r.disease_volume_ml > 0 and r.name in BY_NAME]
    diseased.sort(key=lambda r: -r.disease_volume_ml)
    shown = diseased[: max(0, int((box.height - 18) / row_height))]
    canvas.text(box.x, box.y + 9, "Regions with most disease", HEADING)
    if not shown:
        canvas.text(box.x, box.y + 30, "none", _ROW)
        return
    bars = Box(box.x + 100, box.y + 18, box.width - 160, box.height - 18)
    per_ml = bars.width / shown[0].disease_volume_ml
    for row, region in enumerate(shown):
        base = bars.y + 11 + row * row_height
        canvas.text(box.x, base, canvas.fitted(region.title, _ROW, 96), _ROW)
        _stacked(canvas, Box(bars.x, base - 8.5, bars.width, 10), region.classes, per_ml)
        canvas.text(box.right, base, f"{present(region.disease_volume_ml, 1)} mL", _NUMBER)


def _stacked(canvas: Canvas, box: Box, classes: ClassVolumes, per_ml: float) -> None:
    x = box.x
    for adc_class, volume in zip(CLASSES, volumes_ml(classes), strict=True):
        if volume > 0:
            part = Box(x, box.y, volume * per_ml, box.height)
            canvas.box(part, adc_class.fill, adc_class.line)
            x = part.right
