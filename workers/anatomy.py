"""The anatomy stage: skeleton, organs and spinal canal on the grid of the images."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from imaging.anatomy import BY_NAME, Kind
from imaging.errors import ModelMismatch
from imaging.preprocessing import preprocess, to_labels, to_probability

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from imaging.adc import AdcFit
    from imaging.anatomy import Structure
    from imaging.geometry import Geometry
    from imaging.model import ModelSpec
    from workers.inference.model import SegmentationModel


@dataclass(frozen=True, eq=False)
class Anatomy:
    """What the network says, each array (slice, row, column) on the images' grid."""

    labels: NDArray[np.uint8] = field(repr=False)
    """Positions in `imaging.anatomy.STRUCTURES`."""
    bone: NDArray[np.float32] = field(repr=False)
    """Probability that the voxel is any bone."""


def find_anatomy(
    fit: AdcFit,
    geometry: Geometry,
    model: SegmentationModel,
    on_progress: Callable[[float], None],
) -> Anatomy:
    """Preprocess as the model declares, predict, and bring the answer back to `geometry`.

    Raises:
        ModelMismatch: the model declares something that this software does not know.
        UnusableImages: there is no body in the images.

    """
    structures = declared_structures(model.spec)
    model_input = preprocess(fit, geometry, model.spec)
    probability = model.predict(model_input, on_progress)
    grid = model_input.geometry
    by_class = to_labels(probability, grid, geometry)
    positions = np.array([s.label for s in structures], dtype=np.uint8)
    bones = [n for n, s in enumerate(structures) if s.kind is Kind.BONE]
    bone = probability[bones].sum(axis=0, dtype=np.float32)
    return Anatomy(positions[by_class], to_probability(bone, grid, geometry))


def declared_structures(spec: ModelSpec) -> tuple[Structure, ...]:
    """Return the structure of each output channel.

    Raises:
        ModelMismatch: a class that `imaging.anatomy` does not name, or the first is not background.

    """
    unknown = [name for name in spec.classes if name not in BY_NAME]
    if unknown or not spec.classes or spec.classes[0] != "background":
        named = ", ".join(unknown) or "background is not the first"
        message = f"model {spec.name} declares classes that Osteon does not know: {named}"
        raise ModelMismatch(message)
    return tuple(BY_NAME[name] for name in spec.classes)
