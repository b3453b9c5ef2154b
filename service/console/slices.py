"""The slices of a run: its volumes cut along three planes, with labels and probabilities over them.

The page is complete without a script: still images, lesions and downloads. NiiVue, which only this
page loads, replaces the still images where the browser has WebGL 2.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from imaging.anatomy import BY_NAME
from jobs.errors import UnknownJob
from jobs.result import ResultFile
from report.adc_classes import CLASSES, class_ranges
from report.shown import Document
from report.tables import title_of
from service.api.archive import Part, part_of
from service.api.problems import NoSuchResult
from service.api.results import locate
from service.api.site import JobId, Site, StudyUid, TheSite
from service.console.frame import render
from service.console.run_document import DocumentGone, run_document

router = APIRouter(include_in_schema=False)

LesionName = Annotated[str | None, Query(pattern=r"^[A-Z]\d{1,5}$")]
TABLE_KIND = "volume_table"
COMPUTED_B = 1400
"""s/mm², what the page starts with: bone marrow's contrast is best near it (Messiou 2011)."""
_GROUPS = (("bone", "Bones"), ("organ", "Organs"), ("canal", "Spinal canal"))


@dataclass(frozen=True)
class Toggle:
    """A label that can be shown or not; `value` is its number in the overlay that is drawn."""

    name: str
    title: str
    value: int
    colour: str


@dataclass(frozen=True)
class Place:
    """A lesion to jump to."""

    name: str
    region: str
    volume_ml: float
    centroid_mm: tuple[float, float, float]


@router.get("/studies/{study_uid}/runs/{job_id}/slices", name="slices")
def slices(
    request: Request,
    site: TheSite,
    study_uid: StudyUid,
    job_id: JobId,
    lesion: LesionName = None,
) -> HTMLResponse:
    """Show the slices of one run; with `lesion`, at that lesion."""
    job = site.store.job(job_id)
    if job.study_uid != study_uid:
        raise UnknownJob("this study has no such run")
    results = site.store.results(job_id)
    table = volume_table(site, results)
    places = _places(_document(site, job_id))
    context = {
        "job": job,
        "table": table,
        "files": f"/api/v1/jobs/{job_id}/results",
        "volumes": [one for one in results if part_of(one) is Part.VOLUMES],
        "stills": [one for one in results if one.kind == "mip"],
        "places": places,
        "lesion": lesion,
        "found": lesion is None or any(place.name == lesion for place in places),
        "classes": _classes(table),
        "groups": _groups(table),
        "has_focal": _row(table, "focal_lesions.nii.gz") is not None,
        "probabilities": _probabilities(table),
        "high_b": (_row(table, "high_b.nii.gz") or {}).get("b_s_mm2"),
        "computed_b": COMPUTED_B,
        "parts": tuple(Part),
    }
    return render(request, "slices.html", context)


def volume_table(site: Site, results: Sequence[ResultFile]) -> dict[str, Any] | None:
    """Return what `volumes.json` of a run holds; None where none was kept or it is gone."""
    kept = next((one for one in results if one.kind == TABLE_KIND), None)
    if kept is None:
        return None
    try:
        content = locate(site.results_dir, kept).read_bytes()
    except (NoSuchResult, OSError):
        return None
    table: dict[str, Any] = json.loads(content)
    return table


def _document(site: Site, job_id: str) -> Document | None:
    try:
        return run_document(site, job_id)
    except DocumentGone:
        return None


def _row(table: dict[str, Any] | None, file: str) -> dict[str, Any] | None:
    rows = table["volumes"] if table else ()
    return next((row for row in rows if row["file"] == file), None)


def _classes(table: dict[str, Any] | None) -> list[Toggle]:
    """Return the ADC classes of disease; their numbers in the overlay follow the structures'."""
    if table is None:
        return []
    low, high = table["thresholds_um2_s"]
    rows = zip(CLASSES, class_ranges((low, high)), strict=True)
    first = len(BY_NAME)
    return [
        Toggle(one.name, f"{one.name} ADC, {where} µm²/s", first + n, one.fill)
        for n, (one, where) in enumerate(rows)
    ]


def _groups(table: dict[str, Any] | None) -> list[tuple[str, list[Toggle]]]:
    """Return the structures of the segmentation by what they are."""
    row = _row(table, "segmentation.nii.gz")
    labels = row["labels"] if row else []
    return [
        (title, [_toggle(label) for label in labels if label["kind"] == kind])
        for kind, title in _GROUPS
        if labels
    ]


def _toggle(label: dict[str, Any]) -> Toggle:
    colour = "#{:02x}{:02x}{:02x}".format(*label["colour"])
    return Toggle(label["name"], label["title"], label["value"], colour)


def _probabilities(table: dict[str, Any] | None) -> list[dict[str, Any]]:
    rows = table["volumes"] if table else ()
    return [row for row in rows if row["quantity"] == "probability"]


def _places(document: Document | None) -> list[Place]:
    """Return the lesions of the burden and after them those of the focal list, if any."""
    if document is None:
        return []
    focal = document.get("focal") or {}
    return [
        Place(
            lesion["name"],
            title_of(lesion["region"]),
            lesion["volume_ml"],
            tuple(lesion["centroid_mm"]),
        )
        for lesion in (*document["lesions"], *focal.get("lesions", ()))
    ]
