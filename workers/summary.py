"""The headline numbers of a run, kept with the job so that a list needs no file.

They are rounded as in `measurements.json`: a list and a page that round these again agree.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from report.rounding import ADC_UM2_S, SHAPE, VOLUME_ML, rounded
from report.tables import title_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicom_objects.reading.records import SeriesRecord
    from imaging.focal_lesions import FocalLesions
    from imaging.measurement import RegionMeasurement
    from workers.comparison import FollowedUp
    from workers.encoding import Findings


def summarise(findings: Findings) -> dict[str, Any]:
    """Return TDV in mL, gADC in µm²/s, counts, quality notes and the series table."""
    measurement = findings.measurement
    adc = measurement.adc
    return {
        "tdv_ml": rounded(measurement.tdv_ml, VOLUME_ML),
        "log_tdv": rounded(measurement.log_tdv, SHAPE),
        "gadc_um2_s": None if adc is None else rounded(adc.median, ADC_UM2_S),
        "adc_mean_um2_s": None if adc is None else rounded(adc.mean, ADC_UM2_S),
        "n_lesions": measurement.n_lesions,
        "coverage_status": measurement.coverage_status,
        "missing_regions": list(measurement.coverage.missing),
        "cut_regions": list(measurement.coverage.cut),
        "removed_organ_ml": measurement.removed_organ_ml,
        "removed_canal_ml": measurement.removed_canal_ml,
        "normalisation": findings.normalisation,
        "classes_ml": dataclasses.asdict(measurement.classes),
        "thresholds_um2_s": list(measurement.thresholds_um2_s),
        "b_values": list(findings.fit.b_values),
        "model": ", ".join(f"{spec.name} {spec.version}" for spec in findings.models),
        "burden": dataclasses.asdict(findings.burden),
        "focal": _focal(findings.focal),
        "regions": [_region(region) for region in measurement.regions],
        "met_rads": [_region(region) for region in measurement.met_rads],
        "quality": [dataclasses.asdict(note) for note in findings.quality],
        "follow_up": changes_of(findings.followed),
        **series_summary(findings.study.series),
    }


def changes_of(followed: FollowedUp | None) -> dict[str, Any] | None:
    """Return the headline changes in percent with their calls; None: no earlier study."""
    comparison = followed.comparison if followed else None
    headline = comparison.headline if comparison else None
    if headline is None:
        return None
    changes = {"tdv": headline.tdv, "gadc": headline.gadc}
    return {
        "study_uid": headline.prior.study_uid,
        "roles": list(headline.roles),
        **{
            name: {"percent": change.percent, "call": change.call}
            for name, change in changes.items()
        },
        "beyond_limit": any(change.call in ("up", "down") for change in changes.values()),
    }


def _focal(focal: FocalLesions | None) -> dict[str, Any] | None:
    """Return the list of focal lesions: another definition than the burden's lesions."""
    if focal is None:
        return None
    rows = [
        {
            "name": lesion.name,
            "region": title_of(lesion.region),
            "volume_ml": lesion.volume_ml,
            "diameter_mm": lesion.diameter_mm,
            "adc_median_um2_s": lesion.adc.median,
        }
        for lesion in focal.lesions
    ]
    return {
        "definition": focal.definition,
        "model": dataclasses.asdict(focal.model),
        "threshold": focal.threshold,
        "method": focal.in_words(),
        "n_lesions": len(rows),
        "lesions": rows,
    }


def _region(region: RegionMeasurement) -> dict[str, Any]:
    """Return one row; of a region that is not covered nothing is known, which is not 0."""
    return {
        "title": region.title,
        "coverage": region.coverage,
        "disease_volume_ml": region.disease_volume_ml if region.seen else None,
        "n_lesions": region.n_lesions if region.seen else None,
        "gadc_um2_s": None if region.adc is None else region.adc.median,
    }


def series_summary(series: Sequence[SeriesRecord]) -> dict[str, Any]:
    """Return why each series of a study was used or not."""
    return {"series": [dataclasses.asdict(record) for record in series]}
