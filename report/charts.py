"""Charts with axes: the ADC histogram of the disease, and TDV and gADC over time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from report.adc_classes import CLASSES
from report.histogram import BIN_UM2_S
from report.panels import HEADING
from report.sheet import FAINT, INK, SOFT, Box, Ink

if TYPE_CHECKING:
    from collections.abc import Sequence

    from report.sheet import Sheet

_PRIOR = "#7A8591"
_TICK = Ink(9, SOFT, anchor="ms")
_SCALE = Ink(9, SOFT, anchor="rs")
_POINT = 5.0
_DATE_WIDTH = 48.0


@dataclass(frozen=True)
class HistogramData:
    """Volumes in mL by ADC in bins of 50 µm²/s from 0 on, and what is marked on them."""

    volumes_ml: tuple[float, ...]
    thresholds_um2_s: tuple[float, float]
    median_um2_s: float | None
    prior_ml: tuple[float, ...] = ()
    """The same bins of the earlier study; empty: there is none."""

    @property
    def upper_um2_s(self) -> float:
        """Where the last bin ends, in µm²/s."""
        return BIN_UM2_S * len(self.volumes_ml)


@dataclass(frozen=True)
class TrendPoint:
    """One study of the patient: ISO date, TDV in mL, gADC in µm²/s (None without disease)."""

    date: str
    tdv_ml: float
    gadc_um2_s: float | None


def histogram_panel(sheet: Sheet, box: Box, data: HistogramData) -> None:
    """Volume by ADC with the class thresholds and the median marked; the prior as an outline."""
    sheet.text(box.x, box.y + 9, "ADC of the disease", HEADING)
    plot = Box(box.x + 38, box.y + 20, box.width - 50, box.height - 50)
    top_ml = _round_up(max((*data.volumes_ml, *data.prior_ml), default=0.0))
    _grid(sheet, plot, top_ml, "mL")
    _bars(sheet, plot, data, top_ml)
    _outline(sheet, plot, data.prior_ml, top_ml)
    per_um2_s = plot.width / max(data.upper_um2_s, BIN_UM2_S)
    for value in data.thresholds_um2_s:
        sheet.dashes(plot.x + value * per_um2_s, plot.y, plot.bottom, SOFT)
    for value in range(0, round(data.upper_um2_s) + 1, 500):
        sheet.text(plot.x + value * per_um2_s, plot.bottom + 12, str(value), _TICK)
    middle = plot.x + plot.width / 2
    sheet.text(middle, plot.bottom + 27, "ADC, µm²/s", Ink(9.5, SOFT, anchor="ms"))
    if data.median_um2_s is not None:
        x = plot.x + data.median_um2_s * per_um2_s
        sheet.line((x, plot.y), (x, plot.bottom), INK)
        sheet.text(x + 4, plot.y + 7, "median", Ink(9, INK, halo=True))
    if data.prior_ml:
        sheet.line((box.right - 96, box.y + 6), (box.right - 80, box.y + 6), _PRIOR)
        sheet.text(box.right - 12, box.y + 9, "earlier study", _SCALE)


def trend_panel(sheet: Sheet, box: Box, points: Sequence[TrendPoint]) -> None:
    """TDV in mL and gADC in µm²/s of each study, oldest first, one above the other."""
    sheet.text(box.x, box.y + 9, "Over time", HEADING)
    half = (box.height - 34) / 2
    upper = Box(box.x + 38, box.y + 18, box.width - 60, half - 4)
    lower = Box(upper.x, upper.bottom + 12, upper.width, half - 8)
    _series(sheet, upper, [point.tdv_ml for point in points], "TDV, mL")
    _series(sheet, lower, [point.gadc_um2_s for point in points], "gADC, µm²/s")
    dated = list(zip(_places(lower, len(points)), points, strict=True))
    every = max(1, math.ceil(_DATE_WIDTH * len(points) / lower.width))
    for x, point in dated[::-1][::every]:  # the last has its date in any case
        sheet.text(x, lower.bottom + 13, point.date or "no date", _TICK)


def _series(sheet: Sheet, plot: Box, values: Sequence[float | None], title: str) -> None:
    """Draw the values as points, joined where neighbours are both known."""
    top = _round_up(max((v for v in values if v is not None), default=0.0))
    _grid(sheet, plot, top, "")
    sheet.text(plot.x + 3, plot.y + 9, title, Ink(9, SOFT, halo=True))
    places = [
        None if value is None else (x, plot.bottom - value / top * plot.height)
        for x, value in zip(_places(plot, len(values)), values, strict=True)
    ]
    for start, end in pairwise(places):
        if start is not None and end is not None:
            sheet.line(start, end, INK)
    for place in places:
        if place is not None:
            x, y = place
            sheet.box(Box(x - _POINT / 2, y - _POINT / 2, _POINT, _POINT), INK, radius=_POINT / 2)


def _places(plot: Box, count: int) -> list[float]:
    return [plot.x + plot.width * (k + 0.5) / count for k in range(count)]


def _grid(sheet: Sheet, plot: Box, top: float, unit: str) -> None:
    for share in (0.0, 0.5, 1.0):
        y = plot.bottom - share * plot.height
        sheet.line((plot.x, y), (plot.right, y), FAINT)
        words = f"{share * top:g} {unit if share == 1.0 else ''}".rstrip()
        sheet.text(plot.x - 5, y + 3, words, _SCALE)


def _bars(sheet: Sheet, plot: Box, data: HistogramData, top_ml: float) -> None:
    width = plot.width / max(len(data.volumes_ml), 1)
    for position, volume in enumerate(data.volumes_ml):
        if volume <= 0:
            continue
        centre_um2_s = (position + 0.5) * BIN_UM2_S
        number = sum(centre_um2_s > threshold for threshold in data.thresholds_um2_s)
        height = max(volume / top_ml * plot.height, 0.5)
        bar = Box(plot.x + position * width, plot.bottom - height, width * 0.9, height)
        sheet.box(bar, CLASSES[number].fill, CLASSES[number].line)


def _outline(sheet: Sheet, plot: Box, volumes_ml: Sequence[float], top_ml: float) -> None:
    """Draw the steps of a histogram as one line."""
    if not volumes_ml:
        return
    width = plot.width / len(volumes_ml)
    heights = [plot.bottom - volume / top_ml * plot.height for volume in volumes_ml]
    for position, y in enumerate(heights):
        x = plot.x + position * width
        before = heights[position - 1] if position else plot.bottom
        if y != before:
            sheet.line((x, before), (x, y), _PRIOR)
        if y < plot.bottom:
            sheet.line((x, y), (x + width, y), _PRIOR)


def _round_up(value: float) -> float:
    """Return the nearest of 1, 2, 4, 5, 10 times a power of ten that is not below `value`."""
    step = 0.001
    while True:
        for factor in (1, 2, 4, 5):
            if factor * step >= value:
                return factor * step
        step *= 10
