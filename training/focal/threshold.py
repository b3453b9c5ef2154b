"""The threshold of a focal network that ships: chosen on patients that it was not fitted on."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from imaging.lesions import KEPT_ML, find_lesions
from training.assessment.operating_point import THRESHOLDS
from training.assessment.patients import Counts
from training.errors import TrainingError
from training.inference import slab_probability
from training.scoring.lesions import count_detections

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from imaging.model import ModelSpec
    from training.cases import Case
    from training.inference import Predictor

LOOKED_AT = (*THRESHOLDS, 0.97, 0.98, 0.99, 0.995)
"""A network that saw as many patches with lesions as without is sure of itself."""
MOST_TIMES_THE_VOLUME = 5.0
"""As in `training.focal.evaluation`: one component over the whole body has the F2 1."""


def choose_on(cases: Sequence[Case], predict: Predictor, spec: ModelSpec) -> dict[str, Any]:
    """Return the threshold with the largest mean patient F2, as a free field of `osteon.json`.

    Predictions are cut as they are served, those below `KEPT_ML` left out. Of equal thresholds
    the highest counts; those that predict far more than the true volume are not looked at.

    Raises:
        TrainingError: `NO_CASES`, there is no validation patient.

    """
    if not cases:
        message = "the experiment names no validation_seeds, on which the threshold is chosen"
        raise TrainingError(message, code="NO_CASES")
    rows = []
    answers = [slab_probability(predict, spec, case.model_input)[1] for case in cases]
    true_voxels = sum(int(np.count_nonzero(case.labels)) for case in cases)
    for threshold in LOOKED_AT:
        found = [_cut(case, answer, threshold) for case, answer in zip(cases, answers, strict=True)]
        counts = [_counts(case, mask) for case, mask in zip(cases, found, strict=True)]
        share = sum(int(np.count_nonzero(mask)) for mask in found) / max(true_voxels, 1)
        f2 = math.fsum(c.f2 for c in counts) / len(counts)
        rows.append((threshold, f2, share, _together(counts)))
    usable = [row for row in rows if row[2] <= MOST_TIMES_THE_VOLUME] or rows[-1:]
    best = max(usable, key=lambda row: (round(row[1], 12), row[0]))
    return {
        "lesion": best[0],
        "chosen_by": f"largest mean F2 of {len(cases)} validation patients, on the network's grid",
        "mean_f2": round(best[1], 4),
        "markdown": _table(rows),
    }


def _cut(case: Case, answer: NDArray[np.float32], threshold: float) -> NDArray[np.bool_]:
    kept: NDArray[np.bool_] = (
        find_lesions(answer >= threshold, case.model_input.geometry, KEPT_ML) > 0
    )
    return kept


def _counts(case: Case, found: NDArray[np.bool_]) -> Counts:
    numbers = count_detections(case.labels > 0, found, case.model_input.geometry)
    return Counts(*numbers, exams=1)


def _together(counts: Sequence[Counts]) -> Counts:
    return Counts(
        sum(c.lesions for c in counts),
        sum(c.detected for c in counts),
        sum(c.predictions for c in counts),
        sum(c.true_predictions for c in counts),
        len(counts),
    )


def _table(rows: Sequence[tuple[float, float, float, Counts]]) -> str:
    lines = [
        "",
        "| threshold | mean F2 | sensitivity | FP per exam | predicted / true volume |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {threshold:g} | {f2:.3f} | {c.sensitivity or 0.0:.3f} | {c.false_per_exam:.1f} | "
        f"{share:.2f} |"
        for threshold, f2, share, c in rows
    ]
    return "\n".join(lines)
