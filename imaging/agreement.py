"""How well two label maps agree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from imaging.anatomy import BONES, BY_NAME, ORGANS, STRUCTURES

if TYPE_CHECKING:
    from numpy.typing import NDArray


def dice(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Dice coefficient 2|A∩B| / (|A|+|B|) of two masks; NaN where both are empty."""
    first, second = a.astype(np.bool_, copy=False), b.astype(np.bool_, copy=False)
    size = int(np.count_nonzero(first)) + int(np.count_nonzero(second))
    if size == 0:
        return float("nan")
    return 2.0 * int(np.count_nonzero(first & second)) / size


def dice_by_structure(truth: NDArray[np.uint8], labels: NDArray[np.uint8]) -> dict[str, float]:
    """Dice of every structure that either map holds, and of the groups that papers report.

    Groups: `skeleton` and `skeleton_without_ribs` as one mask each (a bone named as another bone
    agrees), `organs` as the mean over the organs. A group without a member is left out.
    """
    n = len(STRUCTURES)
    joint = np.bincount(
        truth.astype(np.int16).reshape(-1) * n + labels.reshape(-1), minlength=n * n
    )
    table = joint.reshape(n, n)
    scores = {s.name: _dice_of(table, [s.label]) for s in STRUCTURES[1:]}
    bones = [s.label for s in BONES]
    scores["skeleton"] = _dice_of(table, bones)
    ribs = BY_NAME["ribs"].label
    scores["skeleton_without_ribs"] = _dice_of(table, [b for b in bones if b != ribs])
    organs = [scores[s.name] for s in ORGANS if not np.isnan(scores[s.name])]
    scores["organs"] = float(np.mean(organs)) if organs else float("nan")
    return {name: score for name, score in scores.items() if not np.isnan(score)}


def _dice_of(table: NDArray[np.int64], members: list[int]) -> float:
    size = int(table[members].sum()) + int(table[:, members].sum())
    shared = int(table[np.ix_(members, members)].sum())
    return 2.0 * shared / size if size else float("nan")
