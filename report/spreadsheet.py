"""`lesions.csv`: a row for the body, each region and each lesion; units in the column names."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from report.documents import measurements_document

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from report.content import ReportContent

_ADC_COLUMNS = {
    "mean": "adc_mean_um2_s",
    "sd": "adc_sd_um2_s",
    "median": "adc_median_um2_s",
    "p5": "adc_p5_um2_s",
    "p10": "adc_p10_um2_s",
    "p25": "adc_p25_um2_s",
    "p75": "adc_p75_um2_s",
    "p90": "adc_p90_um2_s",
    "p95": "adc_p95_um2_s",
    "minimum": "adc_minimum_um2_s",
    "maximum": "adc_maximum_um2_s",
    "skewness": "adc_skewness",
    "kurtosis": "adc_kurtosis",
}

COLUMNS: tuple[str, ...] = (
    "study_uid",
    "run_id",
    "level",
    "coverage_status",
    "name",
    "tracking_uid",
    "region",
    "coverage_fraction",
    "bone_volume_ml",
    "disease_volume_ml",
    "burden_fraction",
    "log_tdv",
    "n_lesions",
    "evaluable",
    "diameter_mm",
    "centroid_x_mm",
    "centroid_y_mm",
    "centroid_z_mm",
    *_ADC_COLUMNS.values(),
    "class_low_ml",
    "class_intermediate_ml",
    "class_high_ml",
    "class_low_percent",
    "class_intermediate_percent",
    "class_high_percent",
    "prior_study_uid",
    "prior_date",
    "track_state",
    "volume_change_percent",
    "volume_call",
    "adc_change_percent",
    "adc_call",
)


def lesions_csv(content: ReportContent) -> str:
    """Return the text of `lesions.csv`: RFC 4180 with a header and newlines as line ends.

    Level "lesion" is a part of the burden; "focal_lesion" is of the list of the focal network,
    another definition: the two must not be added up.
    A cell is empty where a quantity does not apply to the level or is missing. Every number is
    the one in `measurements.json`.
    """
    document: dict[str, Any] = measurements_document(content)
    changes = _changes(document["priors"])
    rows: list[dict[str, object]] = [
        _total(document["totals"]) | {"coverage_status": document["coverage_status"]}
    ]
    rows += [_region(region) for region in document["regions"]]
    rows += [_region(region) | {"level": "met_rads"} for region in document["met_rads"]]
    rows += [_lesion(lesion) for lesion in document["lesions"]]
    focal = document["focal"] or {"lesions": ()}
    rows += [_lesion(lesion) | {"level": "focal_lesion"} for lesion in focal["lesions"]]
    rows = [row | changes.get((row["level"], row["name"]), {}) for row in rows]
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    keys = {"study_uid": document["study_uid"], "run_id": document["run_id"]}
    writer.writerows(keys | row for row in rows)
    return text.getvalue()


def _total(totals: Mapping[str, Any]) -> dict[str, object]:
    return {
        "level": "total",
        "name": "total",
        "disease_volume_ml": totals["tdv_ml"],
        "log_tdv": totals["log_tdv"],
        "n_lesions": totals["n_lesions"],
        **_shared(totals),
    }


def _region(region: Mapping[str, Any]) -> dict[str, object]:
    return {
        "level": "region",
        "name": region["name"],
        "region": region["name"],
        "coverage_fraction": region["coverage"],
        "bone_volume_ml": region["bone_volume_ml"],
        "disease_volume_ml": region["disease_volume_ml"],
        "burden_fraction": region["burden"],
        "n_lesions": region["n_lesions"],
        **_shared(region),
    }


def _lesion(lesion: Mapping[str, Any]) -> dict[str, object]:
    x_mm, y_mm, z_mm = lesion["centroid_mm"]
    return {
        "level": "lesion",
        "name": lesion["name"],
        "tracking_uid": lesion["tracking_uid"],
        "region": lesion["region"],
        "disease_volume_ml": lesion["volume_ml"],
        "evaluable": "true" if lesion["evaluable"] else "false",
        "diameter_mm": lesion["diameter_mm"],
        "centroid_x_mm": x_mm,
        "centroid_y_mm": y_mm,
        "centroid_z_mm": z_mm,
        **_shared(lesion),
    }


def _changes(priors: Sequence[Mapping[str, Any]]) -> dict[tuple[object, object], dict[str, object]]:
    """Return the changes since the earlier study that reports give first, by level and name."""
    prior = next((one for one in priors if one["headline"]), None)
    if prior is None:
        return {}
    known = {"prior_study_uid": prior["study_uid"], "prior_date": prior["date"]}
    delta = prior["delta"]
    rows = {("total", "total"): _change(delta["tdv_ml"], delta["gadc_um2_s"])}
    for level, name in (("region", "regions"), ("met_rads", "met_rads")):
        for one in prior[name]:
            rows[level, one["name"]] = _change(one["volume_ml"], one["adc_um2_s"])
    for track in prior["tracks"]:
        for part in track["current"]:
            changed = _change(track["volume_ml"], track["adc_um2_s"])
            rows["lesion", part] = {"track_state": track["state"], **changed}
    return {key: known | row for key, row in rows.items()}


def _change(volume: Mapping[str, Any], adc: Mapping[str, Any]) -> dict[str, object]:
    return {
        "volume_change_percent": volume["percent"],
        "volume_call": volume["call"],
        "adc_change_percent": adc["percent"],
        "adc_call": adc["call"],
    }


def _shared(part: Mapping[str, Any]) -> dict[str, object]:
    """ADC statistics and class volumes: the columns that every level has."""
    adc = part["adc_um2_s"] or {}
    cells: dict[str, object] = {_ADC_COLUMNS[name]: value for name, value in adc.items()}
    for unit in ("ml", "percent"):
        values = part[f"classes_{unit}"] or ()
        names = (f"class_{name}_{unit}" for name in ("low", "intermediate", "high"))
        cells |= dict(zip(names, values, strict=False))
    return cells
