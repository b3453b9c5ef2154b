"""The measured part of the Study screen: the fragments of the report, and bodies that turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobs.errors import UnknownJob
from report import fragments
from report.changes import NO_PRIOR
from report.lesion_list import LesionOrder
from report.shown import coverage_in_words
from service.console.run_document import run_comparison
from service.console.turning import turning_bodies

if TYPE_CHECKING:
    from imaging.response import TimePoint
    from jobs.job import Job
    from report.shown import Document
    from service.api.site import Site


def measured_parts(
    site: Site, job: Job, document: Document, order: LesionOrder
) -> dict[str, object]:
    """Return what of the page is numbers and pictures of one run."""
    comparison = run_comparison(site, document)
    headline = comparison.headline if comparison else None
    results = site.store.results(job.id)
    here = f"/studies/{job.study_uid}/runs/{job.id}"
    prior_date = headline.prior.date[:10] if headline else ""
    order_links = {str(one): f"{here}?lesions={one}#lesions" for one in LesionOrder}
    return {
        "document": document,
        "prior": headline,
        "prior_line": fragments.prior_line(comparison) if headline else NO_PRIOR,
        "prior_page": _page_of(site, headline.prior) if headline else None,
        "coverage": coverage_in_words(document),
        "examined": document.get("examination") or {},
        "cards": fragments.cards(document, comparison),
        "turning": turning_bodies(site, job.id, results, prior_date or "no date"),
        "stills": [result for result in results if result.kind == "mip"],
        "histogram": fragments.histogram(document, comparison),
        "trend": fragments.trend(comparison),
        "regions": fragments.regions(document, comparison),
        "met_rads": fragments.met_rads(document, comparison),
        "lesions": fragments.all_lesions(
            document, comparison, order, order_links, lambda name: f"{here}/slices?lesion={name}"
        ),
        "slices_page": f"{here}/slices",
        "focal": fragments.focal(document),
        "quality": fragments.notes(document),
        "method": fragments.method(document, comparison),
        "provenance": document["provenance"],
    }


def _page_of(site: Site, prior: TimePoint) -> str | None:
    """Return the address of the earlier run; None where this installation has it no more."""
    try:
        site.store.job(prior.run_id)
    except UnknownJob:
        return None
    return f"/studies/{prior.study_uid}/runs/{prior.run_id}"
