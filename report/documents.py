"""`measurements.json`: the numbers of a run as a document with a published schema.

The schema is `docs/measurements.schema.json`, the prose `docs/measurements.md`. Keys stand in the
order written here, so equal content gives equal bytes. Rounding is `report.rounding`'s.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from report import rounding
from report.rounding import rounded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from imaging.measurement import (
        AdcStatistics,
        ClassVolumes,
        LesionMeasurement,
        Measurement,
        RegionMeasurement,
    )
    from imaging.quality import QualityNote
    from report.content import ReportContent

SCHEMA_VERSION = "1.0"

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
)


def measurements_document(content: ReportContent) -> dict[str, object]:
    """Return the document that `measurements.json` holds, ready for `json.dumps`."""
    measurement = content.measurement
    return {
        "schema_version": SCHEMA_VERSION,
        "research_use_only": True,
        "run_id": content.provenance.run_id,
        "study_uid": content.study_uid,
        "series_uids_in": [str(s["series_uid"]) for s in content.series if s.get("used")],
        "b_values": list(content.b_values),
        "fit": content.fit,
        "spacing_mm": [rounded(v, rounding.SPACING_MM) for v in content.spacing_mm],
        "coverage": {
            region.name: rounded(region.coverage, rounding.FRACTION)
            for region in measurement.regions
        },
        "thresholds": [rounded(v, rounding.ADC_UM2_S) for v in measurement.thresholds_um2_s],
        "totals": _totals(measurement),
        "regions": [_region(region) for region in measurement.regions],
        "lesions": [_lesion(lesion) for lesion in measurement.lesions],
        "priors": [],
        "quality": [_note(note) for note in content.quality],
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


def _totals(measurement: Measurement) -> dict[str, object]:
    return {
        "tdv_ml": rounded(measurement.tdv_ml, rounding.VOLUME_ML),
        "log_tdv": rounded(measurement.log_tdv, rounding.SHAPE),
        "adc_um2_s": _adc(measurement.adc),
        "classes_ml": _classes(measurement.classes),
        "n_lesions": measurement.n_lesions,
        "removed_organ_ml": rounded(measurement.removed_organ_ml, rounding.VOLUME_ML),
        "removed_canal_ml": rounded(measurement.removed_canal_ml, rounding.VOLUME_ML),
    }


def _region(region: RegionMeasurement) -> dict[str, object]:
    return {
        "name": region.name,
        "title": region.title,
        "coverage": rounded(region.coverage, rounding.FRACTION),
        "bone_volume_ml": rounded(region.bone_volume_ml, rounding.VOLUME_ML),
        "disease_volume_ml": rounded(region.disease_volume_ml, rounding.VOLUME_ML),
        "burden": burden(region),
        "n_lesions": region.n_lesions,
        "adc_um2_s": _adc(region.adc),
        "classes_ml": _classes(region.classes),
    }


def _lesion(lesion: LesionMeasurement) -> dict[str, object]:
    return {
        "name": lesion.name,
        "label": lesion.label,
        "region": lesion.region,
        "centroid_mm": [rounded(v, rounding.LENGTH_MM) for v in lesion.centroid_mm],
        "volume_ml": rounded(lesion.volume_ml, rounding.VOLUME_ML),
        "diameter_mm": rounded(lesion.diameter_mm, rounding.LENGTH_MM),
        "evaluable": lesion.evaluable,
        "adc_um2_s": _adc(lesion.adc),
        "classes_ml": _classes(lesion.classes),
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


def _note(note: QualityNote) -> dict[str, object]:
    return {
        "code": note.code,
        "severity": note.severity,
        "text": note.text,
        "measured": rounded(note.measured, rounding.SHAPE),
    }


def _series(record: Mapping[str, object]) -> dict[str, object]:
    return {name: record.get(name) for name in _SERIES_FIELDS}
