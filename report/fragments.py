"""Parts of a page as HTML, the same for the PDF and for the console, so that they cannot disagree.

Each takes the document of a run and, where the patient has earlier studies, the comparison. What
they write is escaped by Jinja2; charts are SVG made here. There is no script and no inline style.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from report.changes import NO_PRIOR, change_cell, finding_words, prior_words
from report.charts import histogram_panel, trend_panel
from report.headline import headline_cards, histogram_data, method_words, trend_points
from report.lesion_choice import choose_lesions
from report.lesion_list import LesionOrder, followed_lesions, gone_lesions
from report.panels import stacked
from report.sheet import Box
from report.shown import class_rows, lesion_rows, met_rads_rows, region_rows
from report.svg import SvgSheet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from imaging.response import Comparison, RegionChange
    from report.shown import Document

_BAR = Box(0, 1, 90, 9)
_CHART = Box(0, 0, 262, 156)
_TREND = Box(0, 0, 262, 128)


@cache
def templates() -> Environment:
    """Return the templates of this package; a page of the console adds its own loader."""
    return Environment(
        loader=PackageLoader("report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def cards(document: Document, comparison: Comparison | None = None) -> Markup:
    """Return the four headline boxes: TDV, gADC, lesions, input quality."""
    return _filled("cards.html", cards=headline_cards(document, comparison))


def histogram(document: Document, comparison: Comparison | None = None) -> Markup:
    """Return the ADC histogram with the earlier one's outline, and the classes in words."""
    sheet = SvgSheet(_CHART.width, _CHART.height, "Volume of disease by ADC")
    histogram_panel(sheet, _CHART, histogram_data(document, comparison))
    return _filled("histogram.html", chart=sheet.markup(), classes=class_rows(document))


def trend(comparison: Comparison | None) -> Markup:
    """Return TDV and gADC over time; without an earlier study a line that says so."""
    points = trend_points(comparison)
    sheet = SvgSheet(_TREND.width, _TREND.height, "TDV and gADC over time")
    if points:
        trend_panel(sheet, _TREND, points)
    notes = [note.text for note in comparison.notes] if comparison else []
    chart = sheet.markup() if points else None
    return _filled("trend.html", chart=chart, no_prior=NO_PRIOR, notes=notes)


def regions(document: Document, comparison: Comparison | None = None) -> Markup:
    """Return the table of bone regions with a bar of ADC classes in each row."""
    prior = comparison.headline if comparison else None
    changes = {change.name: change for change in (prior.regions if prior else ())}
    rows = region_rows(document)
    longest = max((row.disease_ml for row in rows if not row.is_sum), default=0.0)
    lines = [
        {
            "row": row,
            "bar": None if row.is_sum else _bar(row.classes_ml or (), longest),
            **_change_cells(changes.get(row.name)),
        }
        for row in rows
    ]
    return _filled("regions.html", lines=lines, compared=prior is not None)


def lesions(document: Document, comparison: Comparison | None = None) -> Markup:
    """Return the largest and the new lesions of the burden, and how long the focal list is."""
    chosen = choose_lesions(document, comparison)
    longest = max((sum(one.row.classes_ml) for one in chosen.lesions), default=0.0)
    lines = [(one, _bar(one.row.classes_ml, longest)) for one in chosen.lesions]
    compared = bool(comparison and comparison.headline)
    return _filled(
        "lesions.html",
        lines=lines,
        rest=chosen.rest,
        compared=compared,
        focal=document["focal"],
        evaluable_ml=f"{document['evaluable_ml']:g}",
    )


def all_lesions(
    document: Document,
    comparison: Comparison | None,
    order: LesionOrder,
    order_links: Mapping[str, str],
    lesion_link: Callable[[str], str],
) -> Markup:
    """Return every lesion of the burden with what became of it, and those that are gone.

    `order_links` are the addresses of the page in every other order; `lesion_link` gives the
    address at which a lesion is seen in the images.
    """
    found = followed_lesions(document, comparison, order)
    longest = max((sum(one.listed.row.classes_ml) for one in found), default=0.0)
    lines = [
        (one, _bar(one.listed.row.classes_ml, longest), lesion_link(one.listed.row.name))
        for one in found
    ]
    return _filled(
        "lesion_list.html",
        lines=lines,
        order=order,
        order_links=order_links,
        compared=bool(comparison and comparison.headline),
        gone=gone_lesions(comparison),
        not_evaluable=not all(one.listed.row.evaluable for one in found),
        evaluable_ml=f"{document['evaluable_ml']:g}",
    )


def met_rads(document: Document, comparison: Comparison | None = None) -> Markup:
    """Return the bone regions of MET-RADS-P with what changed in each: facts, no category."""
    prior = comparison.headline if comparison else None
    changes = {change.name: change for change in (prior.met_rads if prior else ())}
    lines = [
        {"row": row, **_change_cells(changes.get(row.name))} for row in met_rads_rows(document)
    ]
    return _filled("met_rads.html", lines=lines, compared=prior is not None)


def focal(document: Document) -> Markup:
    """Return the list of focal lesions, a second definition beside the burden."""
    found = document["focal"]
    rows = lesion_rows(found["lesions"]) if found else ()
    return _filled("focal.html", focal=found, rows=rows)


def notes(document: Document, most: int | None = None) -> Markup:
    """Return the quality notes, warnings first; `most` of them, and how many there are beside."""
    ordered = sorted(document["quality"], key=lambda note: note["severity"] != "warning")
    shown = ordered[:most]
    return _filled("notes.html", notes=shown, rest=len(ordered) - len(shown))


def method(document: Document, comparison: Comparison | None = None) -> Markup:
    """Return one line on how the numbers were made: fit, models, limits with sources, run."""
    return _filled("method.html", words=method_words(document, comparison))


def figures(shown: Sequence[tuple[str, str, int, int]]) -> Markup:
    """Return pictures side by side: address, caption, width and height in CSS pixels."""
    return _filled("figures.html", figures=shown)


def prior_line(comparison: Comparison | None) -> str:
    """Say which earlier study the changes are against."""
    prior = comparison.headline if comparison else None
    return prior_words(prior) if prior else NO_PRIOR


def _change_cells(change: RegionChange | None) -> dict[str, str]:
    if change is None:
        return dict.fromkeys(
            ("volume_change", "adc_change", "high_b_change", "findings", "why"), ""
        )
    return {
        "volume_change": change_cell(change.volume),
        "adc_change": change_cell(change.adc),
        "high_b_change": change_cell(change.high_b),
        "findings": finding_words(change),
        "why": change.why,
    }


def _bar(classes_ml: Sequence[float], longest_ml: float) -> Markup:
    sheet = SvgSheet(_BAR.width, _BAR.height + 2, "Disease by ADC class")
    if longest_ml > 0:
        stacked(sheet, _BAR, classes_ml, _BAR.width / longest_ml)
    return sheet.markup()


def _filled(name: str, **values: Any) -> Markup:  # noqa: ANN401 - what a template takes
    return Markup(templates().get_template(name).render(values))  # noqa: S704 - escaped by Jinja2
