"""The file that serving loads: frozen TorchScript that gives probabilities."""

from __future__ import annotations

import copy
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from imaging.known_slab import describe, known_slab
from training.errors import TrainingError

if TYPE_CHECKING:
    from pathlib import Path

    from imaging.model import ModelSpec

TOLERANCE = 1e-4
"""Largest difference of a probability between the exported file and the network (float32)."""


class Probabilities(nn.Module):
    """(1, C, K, J, I) float32 → softmax over classes, float32, of the same K, J, I."""

    def __init__(self, network: nn.Module) -> None:
        """Wrap a trained network."""
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> Tensor:
        """Return probabilities; under bfloat16 autocast only the convolutions are bfloat16."""
        return torch.softmax(self.network(image).float(), dim=1)


def freeze_network(network: nn.Module, example: Tensor) -> Any:  # noqa: ANN401 - torch's ScriptModule is untyped
    """Return frozen TorchScript of the network with softmax; any K, J, I that fit the divisor.

    Args:
        network: trained; it is copied.
        example: (1, C, K, J, I) to trace with.

    """
    served = Probabilities(copy.deepcopy(network)).eval()
    with torch.no_grad():
        traced = torch.jit.trace(served, example, check_trace=False)  # type: ignore[no-untyped-call]
    return torch.jit.freeze(traced)


def write_served(module: Any, path: Path) -> None:  # noqa: ANN401
    """Write the file under its final name in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    torch.jit.save(module, str(partial))
    partial.replace(path)


def known_answer(path: Path, spec: ModelSpec) -> dict[str, Any]:
    """Return what the file answers to the known slab, for `imaging.known_slab.KEY` of osteon.json.

    Whoever serves the file elsewhere is compared with it.
    """
    module = torch.jit.load(str(path), map_location="cpu")  # type: ignore[no-untyped-call]
    with torch.no_grad():
        answer = module(torch.from_numpy(known_slab(spec))[None])[0].numpy()
    return asdict(describe(answer))


def check_served(path: Path, network: nn.Module, examples: list[Tensor]) -> float:
    """Return the largest difference of the file's probabilities from the network's.

    Raises:
        TrainingError: `EXPORT`, it is above `TOLERANCE`, or a shape is not the network's.

    """
    module = torch.jit.load(str(path))  # type: ignore[no-untyped-call]
    expected = Probabilities(copy.deepcopy(network)).eval()
    largest = 0.0
    with torch.no_grad():
        for example in examples:
            theirs, ours = module(example), expected(example)
            if theirs.shape != ours.shape:
                message = f"{path} answers {tuple(theirs.shape)}, not {tuple(ours.shape)}"
                raise TrainingError(message, code="EXPORT")
            largest = max(largest, float((theirs - ours).abs().max()))
    if largest > TOLERANCE:
        message = f"{path} differs from the network by {largest:.2g} (limit {TOLERANCE:g})"
        raise TrainingError(message, code="EXPORT")
    return largest
