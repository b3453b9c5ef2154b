"""The lesion tables in Markdown, beside what Wuts et al. published on real patients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from training.assessment.cells import interval, number
from training.assessment.lesion_summary import AREA_TO
from training.assessment.patients import MEASURABLE_ML
from training.scoring.surfaces import TOLERANCES_MM

if TYPE_CHECKING:
    from collections.abc import Sequence

    from training.assessment.evaluation_summary import EvaluationSummary
    from training.assessment.lesion_summary import LesionNumber, SizeRow

_AREA_ALL, _AREA_MEASURABLE = (f"{limit:g}" for limit in AREA_TO.values())

_ROWS: tuple[tuple[str, str, int, str, str], ...] = (
    ("sensitivity_median", "sensitivity, patients' median", 3, "0.714", "1.000"),
    ("sensitivity_mean", "sensitivity, patients' mean", 3, "", ""),
    ("sensitivity_of_all_lesions", "sensitivity, all lesions pooled", 3, "", "0.89"),
    ("precision_median", "precision, patients' median", 3, "0.167", ""),
    ("precision_mean", "precision, patients' mean", 3, "", ""),
    ("false_positives_per_exam_median", "false positives per exam, median", 1, "20", ""),
    ("false_positives_per_exam_mean", "false positives per exam, mean", 2, "", "0.46"),
    ("f2_median", "F2, patients' median", 3, "0.448", ""),
    ("f2_mean", "F2, patients' mean", 3, "", ""),
    ("froc_area", f"FROC area to {_AREA_ALL} / {_AREA_MEASURABLE} FP", 2, "7.10", "2.04"),
    ("sensitivity_at_0.2", "sensitivity at 0.2 FP per exam", 3, "", ""),
    ("sensitivity_at_0.5", "sensitivity at 0.5 FP per exam", 3, "", ""),
    ("dice_of_detected_median", "Dice of detected lesions, median", 3, "0.662", ""),
    *(
        (f"nsd_{mm:g}_mm_of_detected_median", f"NSD {mm:g} mm of detected, median", 3, "", "")
        for mm in TOLERANCES_MM
    ),
    ("patient_lesion_dice_median", "patient's mean Dice, misses 0, median", 3, "0.442", ""),
    ("patient_lesion_dice_mean", "patient's mean Dice, misses 0, mean", 3, "", ""),
    ("global_dice", "global Dice", 3, "0.463", ""),
    ("icc_2_1_of_burden", "ICC(2,1) of total burden", 3, "0.649", ""),
)


def lesion_rows(summary: EvaluationSummary) -> list[str]:
    """Return the table of all lesions beside those that are measurable."""
    lines = [
        "### Lesions",
        (
            f"Lesions from {summary.lesion_source}. Components are 26-connected; one shared voxel "
            "detects; FROC cuts these components by their confidence. The paper's NSD is 0.775 at "
            "a tolerance that it does not name."
        ),
        "",
        (
            f"| number | all | ≥ {MEASURABLE_ML:g} mL | SAP all (real patients) "
            f"| SAP ≥ {MEASURABLE_ML:g} mL |"
        ),
        "|---|---|---|---|---|",
    ]
    for name, title, digits, published, published_measurable in _ROWS:
        cells = [
            _cell(summary.lesions.get(name), digits),
            _cell(summary.measurable_lesions.get(name), digits),
        ]
        lines.append(f"| {title} | {' | '.join(cells)} | {published} | {published_measurable} |")
    return lines


def size_rows(rows: Sequence[SizeRow]) -> list[str]:
    """Return the cumulative table over lesion sizes."""
    return [
        "| from mL | lesions | sensitivity | predictions | precision | FP per exam |",
        "|---|---|---|---|---|---|",
        *(
            f"| {r.from_ml:g} | {r.lesions} | {number(r.sensitivity)} | {r.predictions} "
            f"| {number(r.precision)} | {r.false_per_exam:.2f} |"
            for r in rows
        ),
    ]


def _cell(found: LesionNumber | None, digits: int) -> str:
    if found is None:
        return "-"
    return f"{interval(found.interval, digits)} (n = {found.n})"
