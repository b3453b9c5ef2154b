"""The `measurements.json` of a run as a page shows it: read back, whole or not at all."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from report.prior_reading import comparison_of, with_prior_histogram
from service.api.problems import NoSuchResult
from service.api.results import locate

if TYPE_CHECKING:
    from imaging.response import Comparison
    from report.shown import Document
    from service.api.site import Site

_OURS = "2."
"""Versions of the document that the fragments of `report/` understand."""


class DocumentGone(Exception):  # noqa: N818 - it names the condition
    """The run's numbers cannot be shown; the message says why."""


def run_document(site: Site, job_id: str) -> Document | None:
    """Return what `measurements.json` of a run holds; None where the run measured nothing.

    Raises:
        DocumentGone: the file is gone, is not the one that was kept, or of another version.

    """
    results = site.store.results(job_id)
    kept = next((one for one in results if one.kind == "measurements"), None)
    if kept is None:
        return None
    try:
        content = locate(site.results_dir, kept).read_bytes()
    except (NoSuchResult, OSError) as error:
        raise DocumentGone("measurements.json is not there any more") from error
    if hashlib.sha256(content).hexdigest() != kept.sha256:
        raise DocumentGone("measurements.json is not the file that was kept: it was changed")
    document: Document = json.loads(content)
    if not str(document.get("schema_version", "")).startswith(_OURS):
        raise DocumentGone("measurements.json is of a version that this page cannot show")
    return document


def run_comparison(site: Site, document: Document) -> Comparison | None:
    """Return the comparison of a run, with the earlier histogram where that run's file is here."""
    comparison = comparison_of(document)
    headline = comparison.headline if comparison else None
    if headline is None:
        return comparison
    try:
        earlier = run_document(site, headline.prior.run_id)
    except DocumentGone:
        earlier = None
    bars = earlier["totals"].get("adc_histogram_ml") if earlier else None
    return with_prior_histogram(comparison, bars or ())
