"""The headline numbers of a run, kept with the job so that a list needs no file."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicom_objects.reading.records import SeriesRecord
    from workers.encoding import Findings


def summarise(findings: Findings) -> dict[str, Any]:
    """Return TDV in mL, gADC in µm²/s, counts, quality notes and the series table."""
    measurement = findings.measurement
    adc = measurement.adc
    return {
        "tdv_ml": measurement.tdv_ml,
        "gadc_um2_s": None if adc is None else adc.median,
        "adc_mean_um2_s": None if adc is None else adc.mean,
        "n_lesions": measurement.n_lesions,
        "classes_ml": dataclasses.asdict(measurement.classes),
        "thresholds_um2_s": list(measurement.thresholds_um2_s),
        "b_values": list(findings.fit.b_values),
        "model": f"{findings.model.name} {findings.model.version}",
        "regions": [
            {
                "title": region.title,
                "coverage": region.coverage,
                "disease_volume_ml": region.disease_volume_ml,
                "n_lesions": region.n_lesions,
                "gadc_um2_s": None if region.adc is None else region.adc.median,
            }
            for region in measurement.regions
        ],
        "quality": [dataclasses.asdict(note) for note in findings.quality],
        **series_summary(findings.study.series),
    }


def series_summary(series: Sequence[SeriesRecord]) -> dict[str, Any]:
    """Return why each series of a study was used or not."""
    return {"series": [dataclasses.asdict(record) for record in series]}
