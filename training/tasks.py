"""What a network can be trained for: its classes, and how its answer is scored while it trains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from imaging.agreement import dice, dice_by_structure
from imaging.anatomy import BONES, ORGANS, SPINAL_CANAL, STRUCTURES
from imaging.burden import DISEASE_CLASSES

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


@dataclass(frozen=True)
class Task:
    """`classes` by output channel; `groups` are what the export's gate compares, with their labels.

    `score` takes the truth and the answer, both uint8 (slice, row, column), to scores by name.
    """

    classes: tuple[str, ...]
    groups: dict[str, tuple[int, ...]]
    score: Callable[[NDArray[np.uint8], NDArray[np.uint8]], dict[str, float]]


def disease_scores(truth: NDArray[np.uint8], answer: NDArray[np.uint8]) -> dict[str, float]:
    """Dice of the disease mask, and |log volume ratio|; nothing where neither holds disease."""
    score = dice(truth, answer)
    if np.isnan(score):
        return {}
    volumes = [max(int(np.count_nonzero(mask)), 1) for mask in (truth, answer)]
    return {"disease": score, "disease_log_volume": abs(float(np.log(volumes[1] / volumes[0])))}


TASKS: dict[str, Task] = {
    "anatomy": Task(
        tuple(s.name for s in STRUCTURES),
        {
            "skeleton": tuple(bone.label for bone in BONES),
            "organs": tuple(organ.label for organ in ORGANS),
            "spinal_canal": (SPINAL_CANAL.label,),
        },
        dice_by_structure,
    ),
    "disease": Task(DISEASE_CLASSES, {"disease": (1,)}, disease_scores),
}
