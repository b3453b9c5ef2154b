"""Ask a loaded model one small question: its file must do what its declaration says.

A digest proves that the two belong together, not that they agree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from imaging.errors import ModelMismatch
from imaging.known_slab import known_slab
from workers.inference.answers import fault_of
from workers.inference.repository import DECLARATION

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from imaging.model import ModelSpec


def probe(module: torch.nn.Module, spec: ModelSpec, weights: Path) -> NDArray[np.float32]:
    """Ask the known slab of the model in `weights`; return (class, slice, row, column).

    Raises:
        ModelMismatch: the file does not take that slab, or its answer has another shape or type
            than declared, values that are not numbers, or no probabilities.

    """
    slab = torch.from_numpy(known_slab(spec))
    shape = tuple(slab.shape[1:])
    try:
        answer = run_plainly(module, slab)
    except (RuntimeError, ValueError) as error:
        reason = str(error).strip().splitlines()[-1]
        text = f"it does not take {len(spec.channels)} channels on a slab of {shape}: {reason}"
        raise _refused(spec, weights, text) from error
    if not isinstance(answer, torch.Tensor):
        text = f"it answers {type(answer).__name__}, not one array"
        raise _refused(spec, weights, text)
    if answer.dtype != torch.float32 or answer.shape[0] != 1:
        text = f"it answers {answer.dtype} of shape {tuple(answer.shape)}, not float32 of batch 1"
        raise _refused(spec, weights, text)
    found: NDArray[np.float32] = answer[0].numpy()
    fault = fault_of(found, (len(spec.classes), *shape))
    if fault:
        raise _refused(spec, weights, fault)
    return found


def run_plainly(module: torch.nn.Module, slab: torch.Tensor) -> object:
    """Run one slab (channel, slice, row, column), channels last, in float32.

    A study is a few slabs: the profiling runs of TorchScript's optimiser would cost more than they
    save. `config.pbtxt` tells Triton the same (`DISABLE_OPTIMIZED_EXECUTION`).
    """
    image = slab[None].contiguous(memory_format=torch.channels_last_3d)
    with torch.inference_mode(), torch.jit.optimized_execution(False):  # type: ignore[attr-defined]
        return module(image)


def _refused(spec: ModelSpec, weights: Path, what: str) -> ModelMismatch:
    folder, file = weights.parent.parent, f"{weights.parent.name}/{weights.name}"
    return ModelMismatch(
        f"model {spec.name} in {folder}: {file} disagrees with {DECLARATION}: {what}; "
        "export or import the model again"
    )
