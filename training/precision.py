"""What bfloat16 costs a served file: Dice and volume of each group, against float32.

The volume is that of the network's own mask: for a disease network it is TDV, before organs and
canal are taken out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from training.errors import TrainingError
from training.inference import has_bf16, scripted_predictor, slab_probability

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from imaging.model import ModelSpec
    from training.cases import Case
    from training.tasks import Task

LARGEST_DICE_LOSS = 0.005
"""Largest fall of any group's mean Dice when convolutions run in bfloat16."""
LARGEST_VOLUME_CHANGE_PERCENT = 2.0
"""Largest mean change of any group's volume: well below what repeated scans differ by (ours)."""


@dataclass(frozen=True)
class Precisions:
    """Means by group over the cases; those of bfloat16 are None on a processor without it."""

    dice_fp32: dict[str, float]
    dice_bf16: dict[str, float] | None
    volume_change_percent_bf16: dict[str, float] | None
    """Mean over cases of |volume in bfloat16 / volume in float32 - 1|."""


def compare_precisions(file: Path, spec: ModelSpec, cases: list[Case], task: Task) -> Precisions:
    """Run every case in float32 and, where the processor has it, in bfloat16.

    Raises:
        TrainingError: `EXPORT`, a group loses more Dice or changes more volume than allowed.

    """
    exact = [_labels(file, spec, case, bf16=False) for case in cases]
    dice = _mean_dice(exact, cases, task)
    if not has_bf16():
        return Precisions(dice, None, None)
    rounded = [_labels(file, spec, case, bf16=True) for case in cases]
    found = Precisions(dice, _mean_dice(rounded, cases, task), _changes(exact, rounded, task))
    check_precisions(found)
    return found


def check_precisions(found: Precisions) -> None:
    """Refuse a file that bfloat16 changes.

    Raises:
        TrainingError: `EXPORT`, it says which group and by how much.

    """
    dice, changes = found.dice_bf16 or {}, found.volume_change_percent_bf16 or {}
    for name, score in dice.items():
        if score < found.dice_fp32[name] - LARGEST_DICE_LOSS:
            message = (
                f"{name}: Dice {score:.4f} in bfloat16, {found.dice_fp32[name]:.4f} in float32"
            )
            raise TrainingError(message, code="EXPORT")
    for name, change in changes.items():
        if change > LARGEST_VOLUME_CHANGE_PERCENT:
            message = (
                f"{name}: its volume changes by {change:.2f} % in bfloat16, allowed are "
                f"{LARGEST_VOLUME_CHANGE_PERCENT:g} %; train it longer or serve it in float32"
            )
            raise TrainingError(message, code="EXPORT")


def _labels(file: Path, spec: ModelSpec, case: Case, *, bf16: bool) -> NDArray[np.uint8]:
    probability = slab_probability(scripted_predictor(file, bf16=bf16), spec, case.model_input)
    labels: NDArray[np.uint8] = probability.argmax(axis=0).astype(np.uint8)
    return labels


def _mean_dice(found: list[NDArray[np.uint8]], cases: list[Case], task: Task) -> dict[str, float]:
    scores = [task.score(case.labels, one) for case, one in zip(cases, found, strict=True)]
    return {name: float(np.mean([s.get(name, 0.0) for s in scores])) for name in task.groups}


def _changes(
    exact: list[NDArray[np.uint8]], rounded: list[NDArray[np.uint8]], task: Task
) -> dict[str, float]:
    pairs = list(zip(exact, rounded, strict=True))
    return {
        name: 100 * float(np.mean([_change(a, b, members) for a, b in pairs]))
        for name, members in task.groups.items()
    }


def _change(a: NDArray[np.uint8], b: NDArray[np.uint8], members: tuple[int, ...]) -> float:
    """Return |b / a - 1| in voxels; a single voxel stands for none."""
    first, second = (max(int(np.isin(one, members).sum()), 1) for one in (a, b))
    return abs(second / first - 1)
