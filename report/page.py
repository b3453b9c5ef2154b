"""The one-page report: what stands on it and in which order (`clinical_and_console.md` A8)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from report import fragments
from report.bodies import stand_beside
from report.lettering import NOT_FOR_DIAGNOSIS, RESEARCH_USE_ONLY
from report.mip import View
from report.mip_image import png_bytes
from report.patient import patient_fields, scanner_text
from report.shown import coverage_in_words

if TYPE_CHECKING:
    from PIL import Image

    from imaging.response import Comparison
    from report.content import ReportContent, ReportImages
    from report.patient import PatientText
    from report.shown import Document

_ROOM_PX = (466.0, 378.0)
"""Width and height of the place for the projections, CSS pixels: 123 x 100 mm."""
_GAP_PX = 7.6
_SHARPNESS = 2.5
"""Pixels of a picture for one CSS pixel: 240 dpi on paper."""


@dataclass(frozen=True)
class Density:
    """How much of a page its parts may take: `scale` of the projections, and quality notes."""

    scale: float = 1.0
    most_notes: int = 6


DENSITIES = (Density(), Density(0.9), Density(0.8), Density(0.8, 4), Density(0.7, 3))
"""From the largest projections on; the first whose page is one side is taken."""


@dataclass(frozen=True, eq=False)
class Figure:
    """One projection on a page: `name` is its address there."""

    name: str
    caption: str
    width_px: int
    height_px: int
    """The size that it is shown with, CSS pixels; the picture has 2.5 times as many."""
    png: bytes = field(repr=False)


@dataclass(frozen=True, eq=False)
class Page:
    """Everything that one report says; equal pages give equal bytes."""

    document: Document
    figures: tuple[Figure, ...]
    made_at: str
    """ISO 8601, of the run: never the clock."""
    patient: PatientText | None = field(default=None, repr=False)
    """None: the page is shown as pixels and says nothing of the patient."""
    comparison: Comparison | None = None


def page_figures(content: ReportContent, images: ReportImages) -> tuple[Figure, ...]:
    """Return the coronal projection, plain and with disease, and the prior's or a side view.

    One scale and one window for all.
    """
    bodies = stand_beside(images, content.measurement.thresholds_um2_s)
    widths = [bodies.width_mm(View.CORONAL)] * 2
    third = bodies.prior or bodies.projections[View.SAGITTAL]
    widths.append(float(third.signal.shape[1] * third.pixel_mm[1]))
    width, height = _ROOM_PX
    height_mm = max(bodies.height_mm, third.signal.shape[0] * third.pixel_mm[0])
    per_mm = _SHARPNESS * min(height / height_mm, (width - 2 * _GAP_PX) / sum(widths))
    b = f"b {max(content.b_values, default=0):g}"
    plain = bodies.picture(View.CORONAL, per_mm, overlay=False)
    disease = bodies.picture(View.CORONAL, per_mm, overlay=True)
    prior = bodies.prior_picture(per_mm)
    side = prior or bodies.picture(View.SAGITTAL, per_mm, overlay=True)
    beside = "Earlier study, same scale and window" if prior else "From the left, by ADC class"
    return (
        _figure("plain", f"MIP, {b} s/mm², inverted", plain),
        _figure("disease", "Disease by ADC class", disease),
        _figure("prior" if prior else "side", beside, side),
    )


def report_html(page: Page, density: Density = DENSITIES[0]) -> str:
    """Return the page; its style sheet, fonts and pictures are named relative to `report/`."""
    document, comparison = page.document, page.comparison
    figures = [
        (f.name, f.caption, round(density.scale * f.width_px), round(density.scale * f.height_px))
        for f in page.figures
    ]
    values = {
        "research": RESEARCH_USE_ONLY,
        "not_for": NOT_FOR_DIAGNOSIS,
        "version": document["provenance"]["software_version"],
        "made_at": page.made_at,
        "fields": _fields(page),
        "cards": fragments.cards(document, comparison),
        "figures": fragments.figures(figures),
        "histogram": fragments.histogram(document, comparison),
        "trend": fragments.trend(comparison),
        "regions": fragments.regions(document, comparison),
        "lesions": fragments.lesions(document, comparison),
        "notes": fragments.notes(document, density.most_notes),
        "method": fragments.method(document, comparison),
    }
    return fragments.templates().get_template("page.html").render(values)


def _fields(page: Page) -> tuple[tuple[str, str], ...]:
    """Say whose study it is, compared with which, and on which scanner."""
    scanner = scanner_text(page.patient)
    return (
        *patient_fields(page.patient),
        ("Compared with", fragments.prior_line(page.comparison)),
        *((("Scanner", scanner),) if scanner else ()),
        ("Coverage", coverage_in_words(page.document) or "vertex to mid-thigh"),
        ("Images complete", _moment(page.made_at)),
    )


def _moment(at: str) -> str:
    """Return an ISO 8601 time as people read it, with its zone."""
    return datetime.fromisoformat(at).strftime("%Y-%m-%d %H:%M %Z").strip()


def _figure(name: str, caption: str, picture: Image.Image) -> Figure:
    width, height = (max(1, round(length / _SHARPNESS)) for length in picture.size)
    return Figure(f"pictures/{name}.png", caption, width, height, png_bytes(picture))
