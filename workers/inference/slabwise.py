"""A whole body through a model, slab by slab: what every backend does alike.

Padding, order and blending stand here once, so that backends can differ in a slab's answer only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from imaging.tiling import slabs
from workers.inference.answers import check_answer
from workers.inference.model import check_input

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

    from imaging.model import ModelInput, ModelSpec

    Slab = NDArray[np.float32]
    Answers = Callable[[Iterable[Slab]], Iterator[Slab]]
    """Gives the answers (class, slice, row, column) to padded slabs, in their order."""


def predict_by_slabs(
    spec: ModelSpec, model_input: ModelInput, answers: Answers, on_progress: Callable[[float], None]
) -> NDArray[np.float16]:
    """Return probabilities (class, slice, row, column) on the grid of `model_input`.

    Half precision keeps a whole body near 1 GiB.

    Raises:
        ModelMismatch: the input or an answer is not what `spec` declares; also what `answers`
            raises.

    """
    check_input(spec, model_input)
    array = model_input.array
    _, n_slices, rows, columns = array.shape
    parts = slabs(n_slices, spec.slab_slices, spec.slab_overlap)
    padded = (pad_to_multiple(array[:, p.start : p.stop], spec.divisor) for p in parts)
    total = torch.zeros((len(spec.classes), n_slices, rows, columns), dtype=torch.float16)
    for done, (part, answer) in enumerate(zip(parts, answers(padded), strict=True), start=1):
        height = part.stop - part.start
        check_answer(spec, answer, padded_shape((height, rows, columns), spec.divisor))
        inside = answer[:, :height, :rows, :columns] * part.weights[:, None, None]
        # torch converts to half in hardware; numpy's way traps on every vanishing probability.
        total[:, part.start : part.stop] += torch.from_numpy(inside).half()
        on_progress(done / len(parts))
    whole: NDArray[np.float16] = total.numpy()
    return whole


def pad_to_multiple(array: Slab, divisor: tuple[int, int, int]) -> Slab:
    """Append zeros to (channel, slice, row, column) so that each axis is a multiple."""
    shape = padded_shape(array.shape[1:], divisor)
    after = [(0, wanted - size) for wanted, size in zip(shape, array.shape[1:], strict=True)]
    return np.pad(array, [(0, 0), *after])


def padded_shape(shape: tuple[int, ...], divisor: tuple[int, int, int]) -> tuple[int, ...]:
    """Return the next multiples of `divisor`."""
    pairs = zip(shape, divisor, strict=True)
    return tuple(size + -size % multiple for size, multiple in pairs)
