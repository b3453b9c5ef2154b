"""SAP against SSL against random, as Markdown: Wuts et al.'s Table 1 on synthetic patients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from training.assessment.cells import interval, number
from training.assessment.comparison import compare_models, comparison_table
from training.assessment.intervals import bootstrap_mean
from training.assessment.lesion_summary import summarise_lesions
from training.assessment.patients import MEASURABLE_ML
from training.focal.planted import planted_in_words
from training.focal.settings import INITIALISATIONS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from training.assessment.lesion_summary import LesionNumber
    from training.focal.evaluation import Assessed
    from training.focal.planted import Planted
    from training.focal.settings import FocalExperiment

# name, from mL, title, digits, published (SAP, SSL, random; `papers.md` B.5)
_ROWS: tuple[tuple[str, float, str, int, str], ...] = (
    ("nsd_1_mm_of_detected_median", 0.0, "NSD 1 mm of detected, median", 3, ""),
    ("nsd_2_mm_of_detected_median", 0.0, "NSD 2 mm of detected, median", 3, ""),
    ("nsd_3_mm_of_detected_median", 0.0, "NSD 3 mm of detected, median", 3, ".775 .691 .665 *"),
    ("dice_of_detected_median", 0.0, "Dice of detected, median", 3, ".662 .622 .560"),
    ("f2_median", 0.0, "F2, patients' median", 3, ".448 .312 .259"),
    ("f2_mean", 0.0, "F2, patients' mean", 3, ""),
    ("sensitivity_median", 0.0, "sensitivity, patients' median", 3, ".714 .427 .273"),
    ("precision_median", 0.0, "precision, patients' median", 3, ".167 .200 .143"),
    ("false_positives_per_exam_median", 0.0, "FP per exam, median", 1, "20 9 13"),
    (
        "sensitivity_of_all_lesions",
        MEASURABLE_ML,
        "sensitivity ≥ 1 mL, all lesions",
        3,
        ".89 .81 .73",
    ),
    (
        "false_positives_per_exam_mean",
        MEASURABLE_ML,
        "FP per exam ≥ 1 mL, mean",
        2,
        "0.46 0.33 1.30",
    ),
    ("patient_lesion_dice_mean", 0.0, "patient's Dice, misses 0, mean", 3, ".442 .241 .131 †"),
    ("global_dice", 0.0, "global Dice", 3, ".463 .333 .212"),
    ("icc_2_1_of_burden", 0.0, "ICC(2,1) of total burden", 3, ".649 .608 .309"),
)
_SKELETON = {
    "skeleton": ".90", "cervical": ".90", "thoracic": ".94", "lumbar": ".93", "pelvis": ".80",
    "femur": ".90", "humerus": ".67", "scapulae": ".70", "clavicles": ".83", "sternum": ".85",
}  # fmt: skip
_ORDERED = ("f2_mean", "dice_of_detected_median", "nsd_3_mm_of_detected_median", "global_dice")


@dataclass(frozen=True)
class Outcome:
    """What a run left: exams by initialisation, planted lesions, SAP's skeleton, and minutes.

    `skeleton` is the Dice by region of people who were not fitted, `minutes` those of
    pre-training by initialisation.
    """

    found: Mapping[str, Assessed]
    planted: Sequence[Planted]
    skeleton: Mapping[str, Sequence[float]]
    minutes: Mapping[str, float]


def focal_table(experiment: FocalExperiment, outcome: Outcome) -> str:
    """Return the table, the ordering as it came out, the tests, and what fitting took."""
    found = outcome.found
    numbers = {
        (name, ml): summarise_lesions(found[name].exams, ml)
        for name in INITIALISATIONS
        for ml in (0.0, MEASURABLE_ML)
    }
    exams = found["sap"].exams
    lesions = sum(len(e.lesions.lesions) for e in exams)
    large = sum(le.volume_ml >= MEASURABLE_ML for e in exams for le in e.lesions.lesions)
    spacing = " x ".join(f"{mm:g}" for mm in experiment.spacing_mm)
    lines = [
        "### Focal lesions: SAP against SSL against random initialisation",
        (
            f"Synthetic patients, n = {len(exams)}, {lesions} lesions, {large} of them ≥ 1 mL, on "
            f"voxels of {spacing} mm; {experiment.cohort.folds} folds, every exam predicted by a "
            "network that never saw it, at the threshold that the other folds chose (maximal "
            "patient F2). 95 % intervals by bootstrap over patients. "
            + planted_in_words(outcome.planted, lesions)
        ),
        "",
        "| number | SAP | SSL | random | published (SAP SSL random; real patients) |",
        "|---|---|---|---|---|",
    ]
    for name, ml, title, digits, published in _ROWS:
        cells = [_cell(numbers[i, ml][name], digits) for i in INITIALISATIONS]
        lines.append(f"| {title} | {' | '.join(cells)} | {published} |")
    lines += [*_notes(), "", *_ordering(numbers), *_cost(found, outcome.minutes), ""]
    if outcome.skeleton["skeleton"]:
        lines += [*_skeleton_rows(outcome.skeleton), ""]
    lines += ["### Tests", ""]
    tests = compare_models({i: found[i].exams for i in INITIALISATIONS})
    return "\n".join(lines) + "\n" + comparison_table(tests)


def _skeleton_rows(skeleton: Mapping[str, Sequence[float]]) -> list[str]:
    """Return the Dice of SAP's pre-training by region, beside the paper's."""
    scans = len(skeleton["skeleton"])
    lines = [
        "### SAP's pre-training: the skeleton",
        "",
        f"Dice, mean over {scans} healthy people who were not fitted; the paper's are of 8 scans.",
        "",
        "| region | Dice | published (real people) |",
        "|---|---|---|",
    ]
    for name, published in _SKELETON.items():
        spread = bootstrap_mean([[v] for v in skeleton.get(name, ())])
        lines.append(f"| {name} | {interval(spread, 3)} | {published} |")
    return lines


def _notes() -> list[str]:
    return ["", "\\* at a tolerance that the paper does not name. † the paper's are medians."]


def _ordering(numbers: Mapping[tuple[str, float], Mapping[str, LesionNumber]]) -> list[str]:
    """Return the initialisations by falling number, whatever the order is."""
    lines = ["Ordering as it came out (the paper's: sap, ssl, random):"]
    for name in _ORDERED:
        values = {i: numbers[i, 0.0][name].interval.value for i in INITIALISATIONS}
        order = sorted(values, key=lambda i: -1.0 if values[i] is None else -(values[i] or 0.0))
        lines.append(f"- {name}: " + " > ".join(f"{i} {number(values[i])}" for i in order))
    return lines


def _cost(found: Mapping[str, Assessed], minutes: Mapping[str, float]) -> list[str]:
    took = ", ".join(f"{name} {spent:.1f}" for name, spent in minutes.items())
    chosen = "; ".join(
        f"{name} {', '.join(f'{t:.2f}' for t in a.threshold_by_fold)} "
        f"(all folds {a.stored.threshold:.2f})"
        for name, a in found.items()
    )
    return ["", f"Minutes of pre-training: {took}. Thresholds by fold: {chosen}."]


def _cell(found: LesionNumber, digits: int) -> str:
    return f"{interval(found.interval, digits)} (n = {found.n})"
