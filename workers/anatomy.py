"""The anatomy stage: skeleton, organs and spinal canal on the grid of the images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imaging.anatomy import BY_NAME
from imaging.errors import ModelMismatch
from imaging.labelling import label_anatomy
from imaging.preprocessing import preprocess

if TYPE_CHECKING:
    from collections.abc import Callable

    from imaging.adc import AdcFit
    from imaging.anatomy import Structure
    from imaging.geometry import Geometry
    from imaging.labelling import Anatomy
    from imaging.model import ModelSpec
    from workers.inference.model import SegmentationModel


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
    return label_anatomy(probability, model_input.geometry, structures, geometry)


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
