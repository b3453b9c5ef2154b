"""What picture, page and console say first: headline numbers, histogram, method, quality."""

from __future__ import annotations

from typing import TYPE_CHECKING

from report.changes import NO_PRIOR, change_words, lesion_words, limit_sources
from report.charts import HistogramData, TrendPoint
from report.panels import Card
from report.rounding import present
from report.shown import adc_part, burden_in_words, coverage_in_words

if TYPE_CHECKING:
    from imaging.response import Comparison
    from report.shown import Document


def headline_cards(
    document: Document, comparison: Comparison | None = None
) -> tuple[Card, Card, Card, Card]:
    """Return TDV, gADC, number of lesions and the quality of the input."""
    totals = document["totals"]
    prior = comparison.headline if comparison else None
    remarks = (NO_PRIOR, NO_PRIOR, NO_PRIOR)
    if prior is not None:
        changes = (change_words(prior.tdv), change_words(prior.gadc))
        remarks = (*changes, lesion_words(prior.lesions))
    tdv, adc = present(totals["tdv_ml"], 1), adc_part(totals, "median")
    return (
        Card("Total diffusion volume", tdv, "mL", remarks[0], "tdv-ml"),
        Card("Median ADC (gADC)", adc, "µm²/s", remarks[1], "gadc-um2-s"),
        Card("Lesions", str(totals["n_lesions"]), "", remarks[2], "n-lesions"),
        _quality_card(document),
    )


def _quality_card(document: Document) -> Card:
    n_warnings = len(warnings(document))
    coverage = coverage_in_words(document)
    return Card(
        "Input quality",
        "no warning" if not n_warnings else str(n_warnings),
        "" if not n_warnings else "warning" if n_warnings == 1 else "warnings",
        f"PARTIAL BODY ({coverage})" if coverage else "vertex to mid-thigh covered",
        "n-warnings",
    )


def warnings(document: Document) -> list[str]:
    """Return the sentences of the warnings about the input."""
    return [note["text"] for note in document["quality"] if note["severity"] == "warning"]


def histogram_data(document: Document, comparison: Comparison | None = None) -> HistogramData:
    """Return what the histogram shows."""
    totals = document["totals"]
    low, high = document["thresholds"]
    prior = comparison.headline if comparison else None
    return HistogramData(
        volumes_ml=tuple(totals["adc_histogram_ml"]),
        thresholds_um2_s=(low, high),
        median_um2_s=(totals["adc_um2_s"] or {}).get("median"),
        prior_ml=prior.prior.adc_histogram_ml if prior else (),
    )


def trend_points(comparison: Comparison | None) -> tuple[TrendPoint, ...]:
    """Return a point for each study of the patient, oldest first; () without an earlier one."""
    studies = comparison.trend if comparison and comparison.against else ()
    return tuple(TrendPoint(one.date[:10], one.tdv_ml, one.gadc_um2_s) for one in studies)


def method_words(document: Document, comparison: Comparison | None = None) -> tuple[str, ...]:
    """Say how the numbers were made, and by what; limits with their sources where judged."""
    provenance = document["provenance"]
    b_values = "/".join(f"{b:g}" for b in document["b_values"])
    low, high = document["thresholds"]
    prior = comparison.headline if comparison else None
    models = (f"{m['name']} {m['version']} ({m['sha256'][:12]})" for m in provenance["models"])
    return (
        f"ADC: {document['fit']}, b {b_values} s/mm²",
        *(f"model {model}" for model in models),
        burden_in_words(document),
        f"ADC classes at {low:g} and {high:g} µm²/s (10⁻⁶ mm²/s)",
        *(limit_sources(prior) if prior else ()),
        f"Osteon {provenance['software_version']}, run {provenance['run_id']}",
    )


def quality_words(document: Document) -> str:
    """Say the first warning, and how many more there are."""
    found = warnings(document)
    if not found:
        return "Quality: no warning"
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return f"Quality: {found[0]}{more}"
