"""From a network's probabilities to anatomy on the images' grid; training and serving share it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from imaging.anatomy import Kind
from imaging.fragments import without_far_fragments
from imaging.preprocessing import to_labels, to_probability

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from imaging.anatomy import Structure
    from imaging.geometry import Geometry


@dataclass(frozen=True, eq=False)
class Anatomy:
    """What the network says, each array (slice, row, column) on the images' grid."""

    labels: NDArray[np.uint8] = field(repr=False)
    """Positions in `imaging.anatomy.STRUCTURES`, far fragments put right."""
    bone: NDArray[np.float32] = field(repr=False)
    """Probability that the voxel is any bone; 0 where a fragment was left out."""


def label_anatomy(
    probability: NDArray[np.floating[Any]],
    model_geometry: Geometry,
    structures: Sequence[Structure],
    target: Geometry,
) -> Anatomy:
    """Bring probabilities (class, slice, row, column) to labels and bone probability on `target`.

    Args:
        probability: on `model_geometry`, summing to one over classes.
        model_geometry: the model's grid.
        structures: what each class is.
        target: the grid of the images.

    """
    positions = np.array([s.label for s in structures], dtype=np.uint8)
    found = positions[to_labels(probability, model_geometry, target)]
    labels = without_far_fragments(found, target)
    bones = [n for n, s in enumerate(structures) if s.kind is Kind.BONE]
    all_bone = probability[bones].sum(axis=0, dtype=np.float32)
    bone = to_probability(all_bone, model_geometry, target)
    bone[(labels == 0) & (found != 0)] = 0
    return Anatomy(labels, bone)
