"""A case: what the model is given for one patient, and the truth on the same grid; its file."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from imaging.anatomy import STRUCTURES
from imaging.geometry import Geometry
from imaging.model import ModelInput
from imaging.preprocessing import to_probability
from training.errors import TrainingError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from training.atlas.soft_labels import SoftLabels


@dataclass(frozen=True, eq=False)
class Case:
    """Input float16 (channel, K, J, I) and labels uint8 (K, J, I) on the model's grid.

    With `soft` the network learns these shares, and `labels` is their most probable class.
    """

    name: str
    image: NDArray[np.float16] = field(repr=False)
    labels: NDArray[np.uint8] = field(repr=False)
    affine: NDArray[np.float64] = field(repr=False)
    soft: SoftLabels | None = field(default=None, repr=False)

    @property
    def model_input(self) -> ModelInput:
        """The input as serving would see it, at float16's precision."""
        k, j, i = self.labels.shape
        return ModelInput(self.image.astype(np.float32), Geometry((k, j, i), self.affine))


def labels_on_grid(
    labels: NDArray[np.uint8], geometry: Geometry, target: Geometry
) -> NDArray[np.uint8]:
    """Return the class that holds most of every voxel of `target`: one-hot, linear, arg-max."""
    winner = np.zeros(target.shape, dtype=np.uint8)
    best = np.zeros(target.shape, dtype=np.float32)
    for structure in STRUCTURES:
        mask = labels == structure.label
        if not mask.any():
            continue
        share = to_probability(mask.astype(np.float32), geometry, target)
        np.copyto(winner, np.uint8(structure.label), where=share > best)
        np.maximum(best, share, out=best)
    return winner


def mask_on_grid(
    mask: NDArray[np.bool_], geometry: Geometry, target: Geometry
) -> NDArray[np.uint8]:
    """Return 1 in every voxel of `target` of which the mask holds half or more, else 0."""
    share = to_probability(mask.astype(np.float32), geometry, target)
    return (share >= 0.5).astype(np.uint8)


def write_case(case: Case, path: Path) -> None:
    """Write the case under its final name in one step: a reader never sees half of it."""
    partial = path.with_suffix(f".{os.getpid()}.partial")
    with partial.open("wb") as file:
        np.savez(file, image=case.image, labels=case.labels, affine=case.affine)
    partial.replace(path)


def read_case(path: Path) -> Case:
    """Read a case.

    Raises:
        TrainingError: `CASE`, the file does not hold one.

    """
    try:
        with np.load(path) as arrays:
            held: dict[str, NDArray[Any]] = {n: arrays[n] for n in ("image", "labels", "affine")}
    except (OSError, KeyError, ValueError) as error:
        message = f"{path} is not a prepared case ({error}); delete it and prepare again"
        raise TrainingError(message, code="CASE") from error
    return Case(path.stem, held["image"], held["labels"], held["affine"])
