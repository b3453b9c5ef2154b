"""What an answer of a model must be, whoever ran it: shape, type, numbers, probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from imaging.known_slab import TOLERANCE, difference
from workers.inference.model import WrongAnswer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imaging.known_slab import KnownAnswer
    from imaging.model import ModelSpec

_SUM_TOLERANCE = 0.01


def check_answer(spec: ModelSpec, answer: NDArray[np.float32], grid: tuple[int, ...]) -> None:
    """Refuse an answer that cannot be one to a slab of shape `grid`.

    Raises:
        WrongAnswer: not float32 (class, *grid), not numbers, or no probabilities.

    """
    fault = fault_of(answer, (len(spec.classes), *grid))
    if fault:
        message = f"model {spec.name} {spec.version}: {fault}; nothing of this study is sent"
        raise WrongAnswer(message)


def fault_of(answer: NDArray[np.float32], expected: tuple[int, ...]) -> str:
    """Return what is wrong with an answer that should have the shape `expected`, "" if nothing."""
    if answer.shape != expected:
        return f"it answers shape {answer.shape}, {expected[0]} classes make {expected}"
    if answer.dtype != np.float32:
        return f"it answers {answer.dtype}, not float32"
    low, high = float(answer.min()), float(answer.max())  # both are NaN where any value is
    if not (np.isfinite(low) and np.isfinite(high)):
        return "it answers values that are not numbers"
    furthest = float(np.abs(answer.sum(axis=0) - 1).max())
    if low < -_SUM_TOLERANCE or furthest > _SUM_TOLERANCE:
        return "its answers are no probabilities: softmax must stand inside the file"
    return ""


def check_known(spec: ModelSpec, answer: NDArray[np.float32], expected: KnownAnswer) -> None:
    """Compare the answer to the known slab with what the model's files say.

    Raises:
        WrongAnswer: a probability differs by more than `imaging.known_slab.TOLERANCE`.

    """
    found = difference(expected, answer)
    if not found <= TOLERANCE:
        message = (
            f"model {spec.name} {spec.version} answers the known slab otherwise than osteon.json "
            f"says (by {found:.2g}, {TOLERANCE:g} is allowed): another file is served, or in "
            "another precision; nothing of this study is sent"
        )
        raise WrongAnswer(message)
