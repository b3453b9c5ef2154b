"""A `measurements.json` read back in the form that comparisons take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from imaging.measured_study import KnownLesion, MeasuredStudy, RegionFigures
from imaging.response import TimePoint

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


def study_of(document: Mapping[str, Any]) -> MeasuredStudy:
    """Return the numbers of a `measurements.json` in the form that comparisons take.

    Raises:
        KeyError: a field is missing.
        TypeError: a field has another form.
        ValueError: it is of a later version.

    """
    if str(document["schema_version"]).partition(".")[0] != "2":
        raise ValueError(f"measurements.json of version {document['schema_version']}")
    regions = tuple(_regions(document["regions"]))
    by_name: Mapping[str, Any] = {region["name"]: region for region in document["regions"]}
    return MeasuredStudy(
        point=_point(document),
        regions=regions,
        met_rads=tuple(_regions(document["met_rads"])),
        lesions=tuple(
            KnownLesion(
                lesion["label"],
                lesion["name"],
                lesion["region"],
                lesion["volume_ml"],
                lesion.get("tracking_uid") or "",
            )
            for lesion in document["lesions"]
        ),
        scanner_key=_examined(document).get("scanner_key") or "",
        burden=by_name.get("whole_skeleton", {}).get("burden") or 0.0,
        former_names=tuple(_former(document)),
    )


def _point(document: Mapping[str, Any]) -> TimePoint:
    totals, examined = document["totals"], _examined(document)
    low, middle, high = totals["classes_ml"]
    adc = totals["adc_um2_s"]
    return TimePoint(
        study_uid=document["study_uid"],
        run_id=document["run_id"],
        date=examined.get("taken_at") or "",
        scanner=examined.get("scanner") or "",
        tdv_ml=totals["tdv_ml"],
        gadc_um2_s=None if adc is None else adc["median"],
        n_lesions=totals["n_lesions"],
        classes_ml=(low, middle, high),
        coverage_status=document["coverage_status"],
        adc_histogram_ml=tuple(totals.get("adc_histogram_ml") or ()),
    )


def _examined(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return when and where it was made; documents before 2.3 do not say."""
    found: Mapping[str, Any] = document.get("examination") or {}
    return found


def _regions(rows: Sequence[Mapping[str, Any]]) -> Iterator[RegionFigures]:
    for row in rows:
        adc = row["adc_um2_s"]
        yield RegionFigures(
            row["name"],
            row["title"],
            row["coverage"],
            row["disease_volume_ml"] or 0.0,
            None if adc is None else adc["median"],
        )


def _former(document: Mapping[str, Any]) -> Iterator[str]:
    for prior in document.get("priors") or ():
        for track in prior.get("tracks") or ():
            yield from track["prior"]
