"""A TorchScript model in this process, for the processor."""

from __future__ import annotations

import os
import warnings
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

import numpy as np
import torch

from imaging.errors import ModelMismatch
from imaging.tiling import slabs
from workers.inference.model import check_input
from workers.inference.probing import probe, takes_bfloat16
from workers.inference.repository import WEIGHTS, load_spec

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from imaging.model import ModelInput, ModelSpec


class TorchScriptModel:
    """Runs `1/model.pt` slab by slab: frozen, channels last.

    bfloat16 is asked for where the processor has it, but autocast does nothing in TorchScript
    without its optimiser, which `_slab` switches off: the convolutions run in float32.

    The served file takes (1, channel, slice, row, column) float32 and returns the softmax
    probabilities (1, class, slice, row, column).
    """

    def __init__(self, folder: Path, threads: int | None = None) -> None:
        """Load and freeze the model.

        Args:
            folder: the model's folder in the repository.
            threads: processor threads; all cores that this process may use if not given.

        Raises:
            ModelMismatch: the declaration and the file disagree.

        """
        self._spec = load_spec(folder)
        torch.set_num_threads(threads or len(os.sched_getaffinity(0)))
        self._module = _load(self._spec, folder)
        probe(self._module, self._spec, folder)
        self._bfloat16 = has_bfloat16() and takes_bfloat16(self._module, self._spec)

    @property
    def spec(self) -> ModelSpec:
        """What the model declares about its input and its classes."""
        return self._spec

    def predict(
        self, model_input: ModelInput, on_progress: Callable[[float], None]
    ) -> NDArray[np.float16]:
        """See `SegmentationModel.predict`; half precision keeps a whole body near 1 GiB."""
        check_input(self._spec, model_input)
        array = model_input.array
        parts = slabs(array.shape[1], self._spec.slab_slices, self._spec.slab_overlap)
        # torch converts to half in hardware; numpy's way traps on every vanishing probability.
        total = torch.zeros((len(self._spec.classes), *array.shape[1:]), dtype=torch.float16)
        for done, part in enumerate(parts, start=1):
            probability = self._slab(array[:, part.start : part.stop])
            weights = torch.as_tensor(part.weights, dtype=torch.float32)[:, None, None]
            total[:, part.start : part.stop] += (probability * weights).half()
            on_progress(done / len(parts))
        answer: NDArray[np.float16] = total.numpy()
        return answer

    def _slab(self, array: NDArray[np.float32]) -> torch.Tensor:
        """Return the probabilities (class, slice, row, column) of one slab, checked."""
        padded = pad_to_multiple(array, self._spec.divisor)
        tensor = torch.from_numpy(padded)[None].contiguous(memory_format=torch.channels_last_3d)
        # A study is a few slabs: the optimiser's profiling runs would cost more than they save.
        plainly = torch.jit.optimized_execution(False)  # type: ignore[attr-defined]
        with torch.inference_mode(), plainly, self._precision():
            answer: torch.Tensor = self._module(tensor)[0].float()
        classes = len(self._spec.classes)
        if tuple(answer.shape) != (classes, *padded.shape[1:]):
            message = (
                f"model {self._spec.name} answered shape {tuple(answer.shape)} for "
                f"{classes} classes on {padded.shape[1:]}"
            )
            raise ModelMismatch(message)
        if not bool(torch.isfinite(answer).all()):
            message = f"model {self._spec.name} answered values that are not numbers"
            raise ModelMismatch(message)
        slices, rows, columns = array.shape[1:]
        return answer[:, :slices, :rows, :columns]

    def _precision(self) -> AbstractContextManager[object]:
        if self._bfloat16:
            return torch.autocast("cpu", dtype=torch.bfloat16)
        return nullcontext()


def _load(spec: ModelSpec, folder: Path) -> torch.jit.ScriptModule:
    """Load and freeze; `load_spec` has checked the digest before this file may run."""
    with warnings.catch_warnings():
        # Triton's PyTorch backend serves TorchScript; torch.export has no counterpart there yet.
        warnings.filterwarnings("ignore", r"`torch\.jit\.", DeprecationWarning)
        try:
            loaded = torch.jit.load(  # type: ignore[no-untyped-call]
                str(folder / WEIGHTS), map_location="cpu"
            )
        except RuntimeError as error:
            message = f"model {spec.name} in {folder}: {WEIGHTS} is no TorchScript file"
            raise ModelMismatch(message) from error
        module: torch.nn.Module = loaded.eval()
        module.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
        frozen: torch.jit.ScriptModule = torch.jit.freeze(module)
        return frozen


def has_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16 in hardware; emulated, it is slower than fp32."""
    return bool(torch.cpu.get_capabilities().get("avx512_bf16", False))


def pad_to_multiple(
    array: NDArray[np.float32], divisor: tuple[int, int, int]
) -> NDArray[np.float32]:
    """Append zeros to (channel, slice, row, column) so that each axis is a multiple."""
    sizes = zip(array.shape[1:], divisor, strict=True)
    after = [(0, -size % multiple) for size, multiple in sizes]
    return np.pad(array, [(0, 0), *after])
