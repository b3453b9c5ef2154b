"""How many lesions the phantom planted, and how many are too small for the network's grid."""

from __future__ import annotations

import json
import math
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from imaging.resampling import resample

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from imaging.geometry import Geometry
    from phantom.truth import Truth


@dataclass(frozen=True)
class Planted:
    """Lesions of one patient: how many were planned, and volumes in mL on the images' voxels.

    `volumes_ml` are of all that were painted there, `lost_ml` of those that fill half of no voxel
    of the network.
    """

    planned: int
    volumes_ml: tuple[float, ...]
    lost_ml: tuple[float, ...]


def count_planted(planned: int, truth: Truth, labels: NDArray[np.uint8], grid: Geometry) -> Planted:
    """Compare plan and truth with the `labels` (slice, row, column) on the network's grid.

    A lesion is there where the centre of a labelled voxel lies in it, or next to it: then it is
    one with a neighbour.
    """
    numbers = resample(truth.lesion_labels, truth.geometry, grid, order=0)
    kept = set(np.unique(numbers[labels > 0]).tolist())
    lost = [lesion.volume_ml for lesion in truth.lesions if lesion.label not in kept]
    return Planted(planned, tuple(lesion.volume_ml for lesion in truth.lesions), tuple(lost))


def planted_path(case_path: Path) -> Path:
    """Where the count of a case lies."""
    return case_path.with_suffix(".planted.json")


def write_planted(planted: Planted, path: Path) -> None:
    """Write a count under its final name in one step."""
    partial = path.with_suffix(f".{os.getpid()}.partial")
    partial.write_text(json.dumps(asdict(planted)) + "\n", encoding="utf-8")
    partial.replace(path)


def read_planted(paths: Sequence[Path]) -> list[Planted]:
    """Read the counts that are there."""
    found = []
    for path in paths:
        if path.exists():
            values = json.loads(path.read_text(encoding="utf-8"))
            sizes = (tuple(values[name]) for name in ("volumes_ml", "lost_ml"))
            found.append(Planted(int(values["planned"]), *sizes))
    return found


def planted_in_words(found: Sequence[Planted], components: int) -> str:
    """Say what became of the planted lesions; `components` are those on the grid."""
    if not found:
        return "How many planted lesions the grid is too coarse for was not recorded."
    volumes = [ml for planted in found for ml in planted.volumes_ml]
    lost = [ml for planted in found for ml in planted.lost_ml]
    share = 100 * math.fsum(lost) / (math.fsum(volumes) or 1.0)
    largest = f", the largest {max(lost):.2f} mL" if lost else ""
    return (
        f"The phantom planned {sum(planted.planned for planted in found)} lesions and painted "
        f"{len(volumes)} on the images' voxels; {len(lost)} of these fill half of no voxel here "
        f"and are in no truth ({share:.1f} % of the volume{largest}). The others are "
        f"{components} components, since neighbours grow together on this grid."
    )
