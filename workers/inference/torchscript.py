"""A TorchScript model in this process, for the processor."""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING

import torch

from imaging.errors import ModelMismatch
from imaging.known_slab import describe
from workers.inference.answers import check_known
from workers.inference.model import WrongAnswer
from workers.inference.probing import probe, run_plainly
from workers.inference.repository import load_known_answer, load_spec, weights_of
from workers.inference.serving import read_serving
from workers.inference.slabwise import predict_by_slabs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from imaging.known_slab import KnownAnswer
    from imaging.model import ModelInput, ModelSpec


class TorchScriptModel:
    """Runs `<version>/model.pt` slab by slab in float32: frozen, channels last.

    The served file takes (1, channel, slice, row, column) float32 and returns the softmax
    probabilities (1, class, slice, row, column). Triton serves the same file in float32 too, so
    that both give the same numbers; a faster precision would be a setting of both.
    """

    def __init__(
        self, folder: Path, threads: int | None = None, version: int | None = None
    ) -> None:
        """Load and freeze the model.

        Args:
            folder: the model's folder in the repository.
            threads: processor threads; all cores that this process may use if not given.
            version: its numbered folder; the one that serves if not given.

        Raises:
            ModelMismatch: the declaration and the file disagree.

        """
        version = version or read_serving(folder).version
        self._spec = load_spec(folder, version)
        torch.set_num_threads(threads or len(os.sched_getaffinity(0)))
        weights = weights_of(folder, version)
        self._module = _load(self._spec, weights)
        answer = probe(self._module, self._spec, weights)
        self.known_answer: KnownAnswer = describe(answer)
        """What the file answers to the known slab on this machine."""
        expected = load_known_answer(folder, version)
        if expected is not None:
            check_known(self._spec, answer, expected)

    @property
    def spec(self) -> ModelSpec:
        """What the model declares about its input and its classes."""
        return self._spec

    def predict(
        self, model_input: ModelInput, on_progress: Callable[[float], None]
    ) -> NDArray[np.float16]:
        """See `SegmentationModel.predict`."""
        return predict_by_slabs(self._spec, model_input, self._answers, on_progress)

    def _answers(self, slabs: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
        for slab in slabs:
            answer = self._run(torch.from_numpy(slab))
            if not isinstance(answer, torch.Tensor):
                message = f"model {self._spec.name} answered {type(answer).__name__}, not one array"
                raise WrongAnswer(message)
            yield answer[0].numpy()

    def _run(self, slab: torch.Tensor) -> object:
        try:
            return run_plainly(self._module, slab)
        except RuntimeError as error:
            if "allocate memory" in str(error):
                raise MemoryError from error
            reason = str(error).strip().splitlines()[-1][:200]
            message = f"model {self._spec.name} cannot compute a slab: {reason}"
            raise ModelMismatch(message) from error


def _load(spec: ModelSpec, weights: Path) -> torch.jit.ScriptModule:
    """Load and freeze; `load_spec` has checked the digest before this file may run."""
    with warnings.catch_warnings():
        # Triton's PyTorch backend serves TorchScript; torch.export has no counterpart there yet.
        warnings.filterwarnings("ignore", r"`torch\.jit\.", DeprecationWarning)
        try:
            loaded = torch.jit.load(  # type: ignore[no-untyped-call]
                str(weights), map_location="cpu"
            )
        except RuntimeError as error:
            message = f"model {spec.name}: {weights} is no TorchScript file"
            raise ModelMismatch(message) from error
        module: torch.nn.Module = loaded.eval()
        module.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
        frozen: torch.jit.ScriptModule = torch.jit.freeze(module)
        return frozen
