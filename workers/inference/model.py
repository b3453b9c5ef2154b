"""The seam to a segmentation model, whoever runs it: in this process or a model server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from imaging.errors import ModelMismatch

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from imaging.model import ModelInput, ModelSpec

SPACING_TOLERANCE = 0.01
"""Relative; `imaging.preprocessing` keeps a slice distance that is so near to the model's."""


class ModelUnavailable(Exception):  # noqa: N818 - it names the condition
    """The model cannot answer now; the same request may succeed later."""

    code = "MODEL_UNAVAILABLE"


class ModelDeadline(ModelUnavailable):
    """A model server took the request and did not answer in time."""

    code = "MODEL_DEADLINE"


class ServerRefused(ModelMismatch):
    """A model server does not serve this model, or cannot do what it is asked."""

    code = "MODEL_SERVER_REFUSED"


class WrongAnswer(ModelMismatch):
    """A model answered what cannot be: another shape, no numbers, or not what is known of it."""

    code = "MODEL_WRONG_ANSWER"


class SegmentationModel(Protocol):
    """A model that maps channels on its own grid to class probabilities on that grid."""

    @property
    def spec(self) -> ModelSpec:
        """What the model declares about its input and its classes."""
        ...

    def predict(
        self, model_input: ModelInput, on_progress: Callable[[float], None]
    ) -> NDArray[np.float16]:
        """Return probabilities (class, slice, row, column) on the grid of `model_input`.

        Args:
            model_input: channels as `spec` declares them.
            on_progress: called with the fraction done in (0, 1], once per slab.

        Raises:
            ModelMismatch: the input or the answer is not what `spec` declares.
            ModelUnavailable: the model cannot answer now.

        """
        ...


def check_input(spec: ModelSpec, model_input: ModelInput) -> None:
    """Refuse an input that the model was not made for.

    Raises:
        ModelMismatch: another number of channels or another spacing than `spec` declares, or
            channels that are not on their own grid.

    """
    channels = model_input.array.shape[0]
    if channels != len(spec.channels):
        named = ", ".join(channel.quantity for channel in spec.channels)
        message = (
            f"model {spec.name} takes {len(spec.channels)} channels, it was given {channels};"
            f" osteon.json declares {named}"
        )
        raise ModelMismatch(message)
    if model_input.array.shape[1:] != model_input.geometry.shape:
        shapes = f"{model_input.array.shape[1:]}, its grid {model_input.geometry.shape}"
        message = f"the input of model {spec.name} has shape {shapes}; give the grid that it is on"
        raise ModelMismatch(message)
    given = model_input.geometry.spacing_mm
    pairs = zip(given, spec.spacing_mm, strict=True)
    if any(abs(have / want - 1) > 1.01 * SPACING_TOLERANCE for have, want in pairs):
        message = f"model {spec.name} wants spacing {spec.spacing_mm} mm, it was given {given}"
        raise ModelMismatch(message)
