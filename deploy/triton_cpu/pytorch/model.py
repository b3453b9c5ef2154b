"""Triton's `pytorch` backend on the processor, by its Python backend: TorchScript, float32.

NVIDIA's image has a native backend of the same name, so one model repository serves in both. This
one runs inside Triton's stub process; it is for machines without a GPU and for tests.
"""

# ruff: noqa: INP001 - Triton looks for a module of this name, not for a package

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import torch
import triton_python_backend_utils as triton

_INPUT, _OUTPUT = "INPUT__0", "OUTPUT__0"


class TritonPythonModel:
    """One version of one model; Triton makes an object for each instance."""

    def initialize(self, args: dict[str, str]) -> None:
        """Load `<version>/model.pt`; an error here keeps the model from being ready."""
        self._optimise = _optimises(json.loads(args["model_config"]))
        path = Path(args["model_repository"]) / args["model_version"] / "model.pt"
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", r"`torch\.jit\.", DeprecationWarning)
            module = torch.jit.load(str(path), map_location="cpu").eval()
            module.to(memory_format=torch.channels_last_3d)
            self._module = torch.jit.freeze(module)

    def execute(self, requests: list[triton.InferenceRequest]) -> list[triton.InferenceResponse]:
        """Answer each request by itself; one that fails does not spoil the others."""
        return [self._answer(request) for request in requests]

    def _answer(self, request: triton.InferenceRequest) -> triton.InferenceResponse:
        tensor = triton.get_input_tensor_by_name(request, _INPUT)
        image = torch.from_dlpack(tensor.to_dlpack())
        image = image.contiguous(memory_format=torch.channels_last_3d)
        try:
            with torch.inference_mode(), torch.jit.optimized_execution(self._optimise):
                answer = self._module(image)
        except (RuntimeError, ValueError) as error:
            reason = str(error).strip().splitlines()[-1]
            return triton.InferenceResponse(error=triton.TritonError(reason))
        output = triton.Tensor.from_dlpack(_OUTPUT, answer.contiguous())
        return triton.InferenceResponse(output_tensors=[output])


def _optimises(config: dict[str, Any]) -> bool:
    """Read the parameter that the native backend knows too."""
    parameter = config.get("parameters", {}).get("DISABLE_OPTIMIZED_EXECUTION", {})
    return parameter.get("string_value", "false").lower() != "true"
