"""Ask a loaded model one small question: its file must do what its declaration says.

A digest proves that the two belong together, not that they agree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from imaging.errors import ModelMismatch
from workers.inference.repository import DECLARATION, WEIGHTS

if TYPE_CHECKING:
    from pathlib import Path

    from imaging.model import ModelSpec

_SUM_TOLERANCE = 0.01


def probe(module: torch.nn.Module, spec: ModelSpec, folder: Path) -> None:
    """Run one slab of the declared channels, 1 x 1 x 2 times `divisor`, and look at the answer.

    Raises:
        ModelMismatch: the file does not take that slab, or its answer has another shape than the
            declared classes, values that are not numbers, or no probabilities.

    """
    slab = _slab(spec)
    shape = tuple(slab.shape[2:])
    plainly = torch.jit.optimized_execution(False)  # type: ignore[attr-defined]
    try:
        with torch.inference_mode(), plainly:
            answer = module(slab)
    except (RuntimeError, ValueError) as error:
        reason = str(error).strip().splitlines()[-1]
        text = f"it does not take {len(spec.channels)} channels on a slab of {shape}: {reason}"
        raise _refused(spec, folder, text) from error
    fault = _fault(answer, (1, len(spec.classes), *shape))
    if fault:
        raise _refused(spec, folder, fault)


def takes_bfloat16(module: torch.nn.Module, spec: ModelSpec) -> bool:
    """Whether a model that `probe` accepts also runs under bfloat16 autocast.

    Some layers of other people's networks (PReLU) hand bfloat16 to a convolution of float32.
    """
    plainly = torch.jit.optimized_execution(False)  # type: ignore[attr-defined]
    try:
        with torch.inference_mode(), plainly, torch.autocast("cpu", dtype=torch.bfloat16):
            module(_slab(spec))
    except RuntimeError:
        return False
    return True


def _slab(spec: ModelSpec) -> torch.Tensor:
    k, j, i = spec.divisor
    generator = torch.Generator().manual_seed(0)
    return torch.rand((1, len(spec.channels), k, j, 2 * i), generator=generator)


def _fault(answer: object, expected: tuple[int, ...]) -> str:
    """Return what is wrong with an answer, "" where nothing is."""
    if not isinstance(answer, torch.Tensor):
        return f"it answers {type(answer).__name__}, not one array"
    if tuple(answer.shape) != expected:
        return f"it answers shape {tuple(answer.shape)}, {expected[1]} classes make {expected}"
    if not bool(torch.isfinite(answer).all()):
        return "it answers values that are not numbers"
    sums = answer.float().sum(dim=1)
    if float(answer.min()) < -_SUM_TOLERANCE or float((sums - 1).abs().max()) > _SUM_TOLERANCE:
        return "its answers are no probabilities: softmax must stand inside the file"
    return ""


def _refused(spec: ModelSpec, folder: Path, what: str) -> ModelMismatch:
    return ModelMismatch(
        f"model {spec.name} in {folder}: {WEIGHTS} disagrees with {DECLARATION}: {what}; "
        "export or import the model again"
    )
