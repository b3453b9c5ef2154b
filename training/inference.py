"""A whole patient through a network, slab by slab, as serving does it."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

import numpy as np
import torch

from imaging.tiling import slabs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor, nn

    from imaging.model import ModelInput, ModelSpec

    Predictor = Callable[[Tensor], Tensor]


def slab_probability(predict: Predictor, spec: ModelSpec, given: ModelInput) -> NDArray[np.float32]:
    """Return probabilities float32 (class, K, J, I) on the grid of `given`, as serving has them.

    Serving adds slabs up in half precision; otherwise masks would differ where classes tie.

    Args:
        predict: (1, C, k, j, i) float32 → (1, class, k, j, i) float32.
        spec: slab size, overlap and divisor.
        given: the model's input.

    """
    _, n_slices, rows, columns = given.array.shape
    total = torch.zeros((len(spec.classes), n_slices, rows, columns), dtype=torch.float16)
    for slab in slabs(n_slices, spec.slab_slices, spec.slab_overlap):
        part = given.array[:, slab.start : slab.stop]
        with torch.no_grad():
            answer = predict(torch.from_numpy(_padded(part, spec.divisor))[None])[0].numpy()
        inside = answer[:, : part.shape[1], :rows, :columns]
        weighted = inside * slab.weights[:, np.newaxis, np.newaxis]
        total[:, slab.start : slab.stop] += torch.from_numpy(weighted).half()
    return total.float().numpy()


def eager_predictor(network: nn.Module, *, bf16: bool) -> Predictor:
    """Return a function that gives the network's probabilities."""
    network.eval()
    device = next(network.parameters()).device

    def predict(image: Tensor) -> Tensor:
        with autocast(bf16=bf16, device=device.type):
            logits = network(image.to(device))
        return torch.softmax(logits.float(), dim=1).cpu()

    return predict


def scripted_predictor(path: Path, *, bf16: bool) -> Predictor:
    """Return a function that gives a served file's probabilities."""
    module = torch.jit.load(str(path), map_location="cpu")  # type: ignore[no-untyped-call]

    def predict(image: Tensor) -> Tensor:
        with autocast(bf16=bf16):
            answer: Tensor = module(image)
        return answer

    return predict


def autocast(*, bf16: bool, device: str = "cpu") -> AbstractContextManager[object]:
    """Return the context in which convolutions run in bfloat16, or as they are."""
    return torch.autocast(device, torch.bfloat16) if bf16 else nullcontext()


def has_bf16() -> bool:
    """Whether this processor multiplies bfloat16 in hardware; elsewhere it is slower than float."""
    return bool(torch.cpu._is_avx512_bf16_supported())  # noqa: SLF001 - torch has no public name


def _padded(part: NDArray[np.float32], divisor: tuple[int, int, int]) -> NDArray[np.float32]:
    """Zeros after the end of the last three axes, up to multiples of `divisor`."""
    missing = [(0, -n % d) for n, d in zip(part.shape[1:], divisor, strict=True)]
    return np.ascontiguousarray(np.pad(part, [(0, 0), *missing]))
