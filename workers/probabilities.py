"""What networks answered, kept for people to look at: one map a question, on the network's grid.

Measurements never read these maps: they are made from the same answer on their own way.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, overload

import numpy as np

from imaging.anatomy import BY_NAME, Kind
from imaging.provenance import ModelIdentity
from imaging.volume_file import probability_volume

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from imaging.geometry import Geometry
    from imaging.model import ModelInput, ModelSpec
    from imaging.volume_file import VolumeFile
    from workers.inference.model import SegmentationModel

_OF_KIND = {Kind.BONE: "skeleton", Kind.ORGAN: "organs", Kind.CANAL: "canal"}
_OF_CLASS = {"disease": "disease", "lesion": "focal"}


@dataclass(frozen=True, eq=False)
class ProbabilityMap:
    """The probability of one thing that a network was asked for."""

    name: str
    """skeleton, organs, canal, disease or focal."""
    volume: VolumeFile = field(repr=False)
    model: ModelIdentity


class KeptAnswers:
    """The maps of one run, in the order in which its networks were asked."""

    def __init__(self, *, wanted: bool) -> None:
        """Keep maps, or none where nobody wants them."""
        self._wanted = wanted
        self._maps: list[ProbabilityMap] = []

    @property
    def maps(self) -> tuple[ProbabilityMap, ...]:
        """What was kept so far."""
        return tuple(self._maps)

    @overload
    def of(self, model: SegmentationModel) -> SegmentationModel: ...
    @overload
    def of(self, model: None) -> None: ...
    def of(self, model: SegmentationModel | None) -> SegmentationModel | None:
        """Return the model, whose answers are kept from now on; None for none."""
        return model if model is None or not self._wanted else _Overheard(model, self._maps.extend)


class _Overheard:
    """A model that tells what it answers."""

    def __init__(
        self, model: SegmentationModel, keep: Callable[[list[ProbabilityMap]], None]
    ) -> None:
        self._model = model
        self._keep = keep

    @property
    def spec(self) -> ModelSpec:
        return self._model.spec

    def predict(
        self, model_input: ModelInput, on_progress: Callable[[float], None]
    ) -> NDArray[np.float16]:
        """Return the model's answer as it is. Raises what the model raises."""
        probability = self._model.predict(model_input, on_progress)
        self._keep(probability_maps(probability, model_input.geometry, self.spec))
        return probability


def probability_maps(
    probability: NDArray[np.float16], geometry: Geometry, spec: ModelSpec
) -> list[ProbabilityMap]:
    """Add up the classes of each thing (class, slice, row, column); a class unknown here has none.

    Probabilities of classes exclude each other, so a skeleton's is the sum of its bones'.
    """
    classes: dict[str, list[int]] = {}
    for channel, name in enumerate(spec.classes):
        structure = BY_NAME.get(name)
        group = _OF_CLASS.get(name) if structure is None else _OF_KIND.get(structure.kind)
        if group is not None:
            classes.setdefault(group, []).append(channel)
    identity = ModelIdentity(spec.name, spec.version, spec.sha256)
    maps = []
    for group, channels in classes.items():
        total = np.zeros(probability.shape[1:], dtype=np.float32)
        for channel in channels:  # no copy of all of them at once
            total += probability[channel]
        np.minimum(total, np.float32(1), out=total)  # halves do not add up exactly
        maps.append(ProbabilityMap(group, probability_volume(total, geometry, group), identity))
    return maps
