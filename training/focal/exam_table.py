"""The table on the card of a focal network that ships."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from training.assessment.cells import interval, number
from training.assessment.lesion_summary import by_size, summarise_lesions
from training.assessment.patients import MEASURABLE_ML

if TYPE_CHECKING:
    from collections.abc import Sequence

    from training.scoring.case import CaseResult

# name, title, digits, published for all lesions and for those of at least 1 mL (`papers.md` B.5)
_ROWS = (
    ("sensitivity_of_all_lesions", "sensitivity, all lesions", 3, ".714 *", ".89"),
    ("precision_median", "precision, patients' median", 3, ".167", ""),
    ("false_positives_per_exam_mean", "false positives per exam, mean", 2, "20 *", "0.46"),
    ("f2_mean", "F2, patients' mean", 3, ".448 *", ""),
    ("dice_of_detected_median", "Dice of detected, median", 3, ".662", ""),
    ("nsd_3_mm_of_detected_median", "NSD 3 mm of detected, median", 3, ".775 †", ""),
    ("global_dice", "global Dice", 3, ".463", ""),
    ("icc_2_1_of_burden", "ICC(2,1) of total volume", 3, ".649", ""),
)


def exam_table(cases: Sequence[CaseResult], seeds: str) -> str:
    """Return Markdown: numbers for all lesions and for those of at least 1 mL, and by size."""
    every, large = (summarise_lesions(cases, ml) for ml in (0.0, MEASURABLE_ML))
    n = sum(len(c.lesions.lesions) for c in cases)
    n_large = sum(le.volume_ml >= MEASURABLE_ML for c in cases for le in c.lesions.lesions)
    lines = [
        (
            f"Synthetic patients with focal disease, n = {len(cases)} (seeds {seeds}), on whom "
            f"nothing was fitted or chosen: {n} lesions, {n_large} of them ≥ 1 mL, every planted "
            "voxel counting, on the grid of the diffusion images. 95 % intervals by bootstrap over "
            "patients. Published: real patients, another network and another T1."
        ),
        "",
        "| number | all | ≥ 1 mL | published all, ≥ 1 mL |",
        "|---|---|---|---|",
    ]
    for name, title, digits, all_said, large_said in _ROWS:
        cells = [interval(found[name].interval, digits) for found in (every, large)]
        lines.append(f"| {title} | {cells[0]} | {cells[1]} | {all_said} {large_said} |")
    lines += ["", "\\* medians over patients. † at a tolerance that the paper does not name.", ""]
    return "\n".join([*lines, *_sizes(cases), "", *_seconds(cases)]) + "\n"


def _sizes(cases: Sequence[CaseResult]) -> list[str]:
    rows = [
        "| from mL | lesions | sensitivity | predictions | precision | FP per exam |",
        "|---|---|---|---|---|---|",
    ]
    return rows + [
        f"| {row.from_ml:g} | {row.lesions} | {number(row.sensitivity)} | {row.predictions} | "
        f"{number(row.precision)} | {row.false_per_exam:.2f} |"
        for row in by_size(cases)
    ]


def _seconds(cases: Sequence[CaseResult]) -> list[str]:
    seconds = math.fsum(c.network_seconds for c in cases) / len(cases)
    return [f"Seconds of the network per exam, mean: {seconds:.1f}, one thread of a busy machine."]
