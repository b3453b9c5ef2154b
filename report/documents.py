"""`measurements.json`: the numbers of a run as a document with a published schema.

The schema is `docs/measurements.schema.json`, the prose `docs/measurements.md`. Keys stand in the
order written here, so equal content gives equal bytes. Rounding is `report.rounding`'s.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from report import rounding
from report.prior_documents import note_of, priors_of, trend_of
from report.rounding import rounded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from imaging.focal_lesions import FocalLesions
    from imaging.measured_study import StudyOrigin
    from imaging.measurement import (
        AdcStatistics,
        BinnedVolumes,
        ClassVolumes,
        LesionMeasurement,
        RegionMeasurement,
    )
    from report.content import ReportContent

SCHEMA_VERSION = "2.4"

_ADC_DIGITS = {
    "mean": rounding.ADC_UM2_S,
    "sd": rounding.ADC_UM2_S,
    "median": rounding.ADC_UM2_S,
    "p5": rounding.ADC_UM2_S,
    "p10": rounding.ADC_UM2_S,
    "p25": rounding.ADC_UM2_S,
    "p75": rounding.ADC_UM2_S,
    "p90": rounding.ADC_UM2_S,
    "p95": rounding.ADC_UM2_S,
    "minimum": rounding.ADC_UM2_S,
    "maximum": rounding.ADC_UM2_S,
    "skewness": rounding.SHAPE,
    "kurtosis": rounding.SHAPE,
}

_SERIES_FIELDS = (
    "series_uid",
    "series_number",
    "description",
    "role",
    "b_values",
    "b_source",
    "n_instances",
    "geometry",
    "used",
    "code",
    "reason",
    "content",
    "b_labels",
    "volumes",
    "n_slices",
    "rows",
    "columns",
    "spacing_mm",
    "slice_range_mm",
    "trace",
    "notes",
    "faults",
)


def measurements_document(content: ReportContent) -> dict[str, object]:
    """Return the document that `measurements.json` holds, ready for `json.dumps`."""
    measurement = content.measurement
    return {
        "schema_version": SCHEMA_VERSION,
        "research_use_only": True,
        "run_id": content.provenance.run_id,
        "study_uid": content.study_uid,
        "examination": _examination(content.origin),
        "series_uids_in": [str(s["series_uid"]) for s in content.series if s.get("used")],
        "b_values": list(content.b_values),
        "fit": content.fit,
        "normalisation": content.normalisation,
        "spacing_mm": [rounded(v, rounding.SPACING_MM) for v in content.spacing_mm],
        "coverage_status": measurement.coverage_status,
        "missing_regions": list(measurement.coverage.missing),
        "cut_regions": list(measurement.coverage.cut),
        "coverage": {
            region.name: rounded(region.coverage, rounding.FRACTION)
            for region in measurement.regions
        },
        "thresholds": [rounded(v, rounding.ADC_UM2_S) for v in measurement.thresholds_um2_s],
        "evaluable_ml": rounded(measurement.evaluable_ml, rounding.VOLUME_ML),
        "totals": _totals(content),
        "regions": [_region(region) for region in measurement.regions],
        "met_rads": [_region(region) for region in measurement.met_rads],
        "lesions": [_lesion(lesion) for lesion in measurement.lesions],
        "focal": _focal(content.focal),
        "priors": priors_of(content.comparison),
        "trend": trend_of(content.comparison),
        "quality": [note_of(note) for note in content.quality],
        "series": [_series(record) for record in content.series],
        "stages": {
            name: rounded(seconds, rounding.SECONDS) for name, seconds in content.stages.items()
        },
        "provenance": asdict(content.provenance),
    }


def measurements_json(content: ReportContent) -> str:
    """Return the text of `measurements.json`: indented, UTF-8 as it is, one newline at the end."""
    document = measurements_document(content)
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _examination(origin: StudyOrigin | None) -> dict[str, object] | None:
    if origin is None:
        return None
    return {
        "taken_at": origin.date or None,
        "scanner": origin.scanner,
        "scanner_key": origin.scanner_key or None,
    }


def _totals(content: ReportContent) -> dict[str, object]:
    measurement = content.measurement
    return {
        "tdv_ml": rounded(measurement.tdv_ml, rounding.VOLUME_ML),
        "log_tdv": rounded(measurement.log_tdv, rounding.SHAPE),
        "adc_um2_s": _adc(measurement.adc),
        "adc_histogram_ml": [rounded(v, rounding.VOLUME_ML) for v in content.histogram_ml],
        "classes_ml": _classes(measurement.classes),
        "classes_percent": _shares(measurement.classes),
        "binnings": [_binning(binned) for binned in measurement.binnings],
        "n_lesions": measurement.n_lesions,
        "removed_organ_ml": rounded(measurement.removed_organ_ml, rounding.VOLUME_ML),
        "removed_canal_ml": rounded(measurement.removed_canal_ml, rounding.VOLUME_ML),
    }


def _region(region: RegionMeasurement) -> dict[str, object]:
    row: dict[str, object] = {
        "name": region.name,
        "title": region.title,
        "coverage": rounded(region.coverage, rounding.FRACTION),
    }
    counted: dict[str, object] = {
        "bone_volume_ml": rounded(region.bone_volume_ml, rounding.VOLUME_ML),
        "disease_volume_ml": rounded(region.disease_volume_ml, rounding.VOLUME_ML),
        "burden": burden(region),
        "n_lesions": region.n_lesions,
        "adc_um2_s": _adc(region.adc),
        "classes_ml": _classes(region.classes),
        "classes_percent": _shares(region.classes),
    }
    return row | (counted if region.seen else dict.fromkeys(counted))


def _binning(binned: BinnedVolumes) -> dict[str, object]:
    return {
        "name": binned.bins.name,
        "title": binned.bins.title,
        "source": binned.bins.source,
        "edges_um2_s": [rounded(edge, rounding.ADC_UM2_S) for edge in binned.bins.edges_um2_s],
        "volumes_ml": [rounded(volume, rounding.VOLUME_ML) for volume in binned.volumes_ml],
        "outside_ml": rounded(binned.outside_ml, rounding.VOLUME_ML),
    }


def _lesion(lesion: LesionMeasurement) -> dict[str, object]:
    return {
        "name": lesion.name,
        "tracking_uid": lesion.tracking_uid or None,
        "label": lesion.label,
        "region": lesion.region,
        "centroid_mm": [rounded(v, rounding.LENGTH_MM) for v in lesion.centroid_mm],
        "volume_ml": rounded(lesion.volume_ml, rounding.VOLUME_ML),
        "diameter_mm": rounded(lesion.diameter_mm, rounding.LENGTH_MM),
        "evaluable": lesion.evaluable,
        "adc_um2_s": _adc(lesion.adc),
        "classes_ml": _classes(lesion.classes),
        "classes_percent": _shares(lesion.classes),
    }


def _focal(focal: FocalLesions | None) -> dict[str, object] | None:
    """Return the second definition, beside the burden and never in its totals."""
    if focal is None:
        return None
    return {
        "definition": focal.definition,
        "model": asdict(focal.model),
        "threshold": rounded(focal.threshold, rounding.FRACTION),
        "smallest_ml": rounded(focal.smallest_ml, rounding.VOLUME_ML),
        "t1_coverage": rounded(focal.shown, rounding.FRACTION),
        "t1_moved_mm": rounded(focal.moved_mm, rounding.LENGTH_MM),
        "n_lesions": len(focal.lesions),
        "lesions": [_lesion(lesion) for lesion in focal.lesions],
    }


def burden(region: RegionMeasurement) -> float | None:
    """Return the share of the region's bone that is disease, 0 to 1; None without bone."""
    if region.bone_volume_ml <= 0:
        return None
    return rounded(region.disease_volume_ml / region.bone_volume_ml, rounding.FRACTION)


def _adc(statistics: AdcStatistics | None) -> dict[str, float | None] | None:
    if statistics is None:
        return None
    return {
        name: rounded(getattr(statistics, name), digits) for name, digits in _ADC_DIGITS.items()
    }


def _classes(classes: ClassVolumes) -> list[float | None]:
    volumes = (classes.low_ml, classes.intermediate_ml, classes.high_ml)
    return [rounded(volume, rounding.VOLUME_ML) for volume in volumes]


def _shares(classes: ClassVolumes) -> list[float | None] | None:
    shares = classes.shares
    return None if shares is None else [rounded(100 * s, rounding.PERCENT) for s in shares]


def _series(record: Mapping[str, object]) -> dict[str, object]:
    return {name: record.get(name) for name in _SERIES_FIELDS}
