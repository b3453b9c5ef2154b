"""Their network in our clothes: axes turned, softmax inside, their classes summed to ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from training.errors import TrainingError

if TYPE_CHECKING:
    from training.importing.axes import Axes

_TOLERANCE = 1e-4


class Served(nn.Module):
    """(1, C, K, J, I) float32 → probabilities of Osteon's classes (1, M, K, J, I)."""

    position: Tensor

    def __init__(
        self, network: nn.Module, axes: Axes, position: list[int], activation: str
    ) -> None:
        """Take the network, its axes, and Osteon's class for each of its outputs."""
        super().__init__()
        self.network = network
        self.softmax = activation == "softmax"
        self.classes = max(position) + 1
        self.there = [0, 1, *(2 + n for n in axes.order)]
        self.back = [0, 1, *(2 + axes.order.index(n) for n in range(3))]
        self.flips = [2 + n for n in axes.flipped]
        self.register_buffer("position", torch.tensor(position))

    def forward(self, image: Tensor) -> Tensor:
        """Return probabilities, float32."""
        answer = self.network(torch.flip(image.permute(self.there), self.flips)).float()
        shares = torch.softmax(answer, dim=1) if self.softmax else answer
        turned = torch.flip(shares, self.flips).permute(self.back)
        n, _, k, j, i = turned.shape
        return turned.new_zeros((n, self.classes, k, j, i)).index_add(1, self.position, turned)


def freeze_and_check(served: Served, channels: int, divisor: tuple[int, int, int]) -> Any:  # noqa: ANN401 - torch's ScriptModule is untyped
    """Return frozen TorchScript that answers as the network does, at two shapes.

    Raises:
        TrainingError: `IMPORT`, the network does not run on whole multiples of `divisor`, answers
            other classes than are mapped, or no probabilities; or its trace answers otherwise.

    """
    k, j, i = divisor
    shapes = [(1, channels, k, 2 * j, i), (1, channels, 2 * k, j, 3 * i)]
    generator = torch.Generator().manual_seed(0)
    examples = [torch.rand(shape, generator=generator) for shape in shapes]
    served.eval()
    try:
        with torch.no_grad():
            expected = [served(example) for example in examples]
            traced = torch.jit.trace(served, examples[0], check_trace=False)  # type: ignore[no-untyped-call]
            frozen = torch.jit.freeze(traced)
            found = [frozen(example) for example in examples]
    except (RuntimeError, ValueError, IndexError) as error:
        reason = str(error).strip().splitlines()[-1]
        message = (
            f"the network does not take {channels} channels on slabs of {shapes[0][2:]} and"
            f" {shapes[1][2:]}, or does not answer {len(served.position)} classes: {reason}"
        )
        raise TrainingError(message, code="IMPORT") from error
    for example, ours, theirs in zip(examples, expected, found, strict=True):
        _check(example, ours, theirs)
    return frozen


def _check(example: Tensor, expected: Tensor, found: Tensor) -> None:
    if found.shape[2:] != example.shape[2:]:
        message = f"the network answers {tuple(found.shape)} for {tuple(example.shape)}"
        raise TrainingError(message, code="IMPORT")
    if float((found.sum(dim=1) - 1).abs().max()) > 0.01 or float(found.min()) < -0.01:
        message = "the network answers no probabilities; set activation: softmax"
        raise TrainingError(message, code="IMPORT")
    if float((found - expected).abs().max()) > _TOLERANCE:
        message = "the traced network answers otherwise than the network; it cannot be served"
        raise TrainingError(message, code="IMPORT")
