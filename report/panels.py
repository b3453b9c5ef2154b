"""The parts of the result beside the body: headline numbers, legend, regions, bars by ADC class.

Drawn on any sheet, from the numbers of the document: the picture and the page are the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from report.adc_classes import CLASSES
from report.sheet import FAINT, INK, PANEL, SOFT, Box, Ink

if TYPE_CHECKING:
    from collections.abc import Sequence

    from report.sheet import Sheet
    from report.shown import ClassRow, RegionRow

_LABEL = Ink(9.5, SOFT)
_VALUE = Ink(23, INK, bold=True)
_UNIT = Ink(10, SOFT)
_ROW = Ink(10, INK)
_NUMBER = Ink(10, INK, anchor="rs")
_QUIET = Ink(10, SOFT, anchor="rs")
HEADING = Ink(11, INK, bold=True)


@dataclass(frozen=True)
class Card:
    """A headline number; `remark` is one line under it."""

    label: str
    value: str
    unit: str
    remark: str = ""
    name: str = ""
    """What tests and scripts find it by on a page."""


def headline(sheet: Sheet, box: Box, cards: Sequence[Card]) -> None:
    """Three cards: TDV, median ADC of the disease (gADC), number of lesions."""
    shares = (0.40, 0.38, 0.22)
    gap = 8.0
    x = box.x
    for card, share in zip(cards, shares, strict=True):
        frame = Box(x, box.y, (box.width - 2 * gap) * share, box.height)
        sheet.box(frame, PANEL, FAINT, radius=5)
        sheet.text(frame.x + 9, frame.y + 18, card.label, _LABEL)
        sheet.text(frame.x + 9, frame.bottom - 12, card.value, _VALUE)
        after = frame.x + 13 + sheet.width_of(card.value, _VALUE)
        sheet.text(after, frame.bottom - 12, card.unit, _UNIT)
        x = frame.right + gap


def legend(sheet: Sheet, box: Box, classes: Sequence[ClassRow]) -> None:
    """One row a class: colour, name, range, volume and share, in words and numbers."""
    for row, shown in enumerate(classes):
        base = box.y + 11 + row * 18
        adc_class = shown.adc_class
        sheet.box(Box(box.x, base - 9, 11, 11), adc_class.fill, adc_class.line, radius=2)
        sheet.text(box.x + 18, base, f"{adc_class.name} ADC", _ROW)
        sheet.text(box.x + 208, base, f"{shown.where} µm²/s", _QUIET)
        sheet.text(box.right - 46, base, f"{shown.volume_ml} mL", _NUMBER)
        sheet.text(box.right, base, f"{shown.share} %", _QUIET)


def regions_panel(sheet: Sheet, box: Box, regions: Sequence[RegionRow]) -> None:
    """Show the regions with most disease: volume as a bar split by ADC class.

    Sums over regions, such as the whole skeleton, are no structures and left out.
    """
    row_height = 18.0
    diseased = [r for r in regions if r.disease_ml > 0 and not r.is_sum]
    diseased.sort(key=lambda r: -r.disease_ml)
    shown = diseased[: max(0, int((box.height - 18) / row_height))]
    sheet.text(box.x, box.y + 9, "Regions with most disease", HEADING)
    if not shown:
        sheet.text(box.x, box.y + 30, "none", _ROW)
        return
    bars = Box(box.x + 100, box.y + 18, box.width - 160, box.height - 18)
    per_ml = bars.width / shown[0].disease_ml
    for row, region in enumerate(shown):
        base = bars.y + 11 + row * row_height
        sheet.text(box.x, base, sheet.fitted(region.title, _ROW, 96), _ROW)
        stacked(sheet, Box(bars.x, base - 8.5, bars.width, 10), region.classes_ml or (), per_ml)
        sheet.text(box.right, base, f"{region.volume_ml} mL", _NUMBER)


def stacked(sheet: Sheet, box: Box, classes_ml: Sequence[float], per_ml: float) -> None:
    """Draw a bar of the three classes, `per_ml` layout units a mL, from the left of `box`."""
    x = box.x
    for adc_class, volume in zip(CLASSES, classes_ml, strict=False):
        if volume > 0:
            part = Box(x, box.y, volume * per_ml, box.height)
            sheet.box(part, adc_class.fill, adc_class.line)
            x = part.right
