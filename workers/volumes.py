"""The images of a run as NIfTI files, for the console's slices and for research; not for the PACS.

`volumes.json` is their table: what each file holds, names and colours of labels, the grid.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from dicom_objects.writing.codes import FOCAL_COLOUR, LESION_COLOUR, STRUCTURE_CODES
from imaging.anatomy import STRUCTURES
from imaging.volume_file import (
    NO_ADC,
    adc_volume,
    label_volume,
    signal_volume,
    write_volume,
)
from workers.results_folder import result_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from imaging.geometry import Geometry
    from imaging.measurement import LesionMeasurement
    from imaging.volume_file import VolumeFile
    from jobs.result import ResultFile
    from workers.encoding import Findings
    from workers.probabilities import ProbabilityMap

KIND = "volume"
TABLE_KIND = "volume_table"
TABLE_NAME = "volumes.json"
SCHEMA_VERSION = "1.0"


def write_volumes(findings: Findings, folder: Path) -> Iterator[ResultFile]:
    """Write every volume of a run and their table into `folder`."""
    rows = []
    for name, volume, meaning in _volumes(findings):
        file_name = f"{name}.nii.gz"
        write_volume(volume, folder / file_name)
        rows.append({"file": file_name, **_described(volume), **meaning})
        yield result_file(KIND, file_name, folder)
    table = {
        "schema_version": SCHEMA_VERSION,
        "research_use_only": True,
        "study_uid": findings.study.study_uid,
        "thresholds_um2_s": list(findings.measurement.thresholds_um2_s),
        "volumes": rows,
    }
    text = json.dumps(table, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    (folder / TABLE_NAME).write_text(text, encoding="utf-8", newline="")
    yield result_file(TABLE_KIND, TABLE_NAME, folder)


def _volumes(findings: Findings) -> Iterator[tuple[str, VolumeFile, dict[str, Any]]]:
    """Yield file name, image and meaning; one image at a time is in memory."""
    whole = findings.assembly.volume
    grid, b_high = whole.geometry, whole.b_values[-1]
    signal = {"quantity": "signal", "title": f"b {b_high:g}", "b_s_mm2": b_high, "unit": None}
    yield "high_b", signal_volume(whole.high_b, grid, b_high), signal
    adc = {"quantity": "adc", "title": "ADC", "unit": "um2/s", "invalid": NO_ADC}
    yield "adc", adc_volume(findings.fit.adc_um2_s, grid), adc
    anatomy = {"quantity": "labels", "title": "Anatomy", "labels": _structures()}
    yield "segmentation", label_volume(findings.labels, grid, "anatomy"), anatomy
    rows = _lesions(findings.measurement.lesions, LESION_COLOUR)
    lesions = {"quantity": "labels", "title": "Lesions", "labels": rows}
    yield "lesions", label_volume(findings.lesion_labels, grid, "lesions"), lesions
    if findings.focal is not None:
        rows = _lesions(findings.focal.lesions, FOCAL_COLOUR)
        focal = {"quantity": "labels", "title": "Focal lesions", "labels": rows}
        yield "focal_lesions", label_volume(findings.focal.labels, grid, "focal lesions"), focal
    for kept in findings.probabilities:
        yield f"probability_{kept.name}", kept.volume, _probability(kept, findings)


def _described(volume: VolumeFile) -> dict[str, Any]:
    """Say what a reader of the table need not open the file for."""
    return {
        "stored": str(volume.stored.dtype),
        "slope": volume.slope,
        "window": list(volume.window),
        "grid": _grid(volume.geometry),
    }


def _grid(geometry: Geometry) -> dict[str, Any]:
    """Describe a grid as DICOM counts it: index (slice, row, column) to LPS mm."""
    return {
        "shape": list(geometry.shape),
        "spacing_mm": [round(v, 6) for v in geometry.spacing_mm],
        "index_to_lps_mm": [[round(float(v), 6) for v in row] for row in geometry.affine],
        "frame_of_reference_uid": geometry.frame_of_reference_uid,
    }


def _structures() -> list[dict[str, Any]]:
    return [
        {
            "value": s.label,
            "name": s.name,
            "title": s.title,
            "kind": str(s.kind),
            "colour": list(STRUCTURE_CODES[s.name].colour),
        }
        for s in STRUCTURES[1:]
    ]


def _lesions(
    lesions: Sequence[LesionMeasurement], colour: tuple[int, int, int]
) -> list[dict[str, Any]]:
    return [
        {"value": one.label, "name": one.name, "region": one.region, "colour": list(colour)}
        for one in lesions
    ]


def _probability(kept: ProbabilityMap, findings: Findings) -> dict[str, Any]:
    """Say whose answer it is, and from which value on a voxel was taken where one value decides."""
    return {
        "quantity": "probability",
        "title": f"Probability of {kept.name}",
        "of": kept.name,
        "model": asdict(kept.model),
        "threshold": _threshold(kept, findings),
    }


def _threshold(kept: ProbabilityMap, findings: Findings) -> float | None:
    if kept.name == "disease":
        return findings.burden.threshold
    return findings.focal.threshold if kept.name == "focal" and findings.focal else None
