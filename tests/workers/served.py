"""Models whose answer is known, on disk as training exports them."""

import hashlib
import json
import warnings
from pathlib import Path

import torch

from imaging.anatomy import STRUCTURES


class Fraction(torch.nn.Module):
    """Class 1 has the probability that channel 0 says, class 0 the rest: voxel by voxel."""

    def __init__(self, classes: int = 2, scale: float = 1.0) -> None:
        super().__init__()
        self.classes = classes
        self.scale = scale

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        first = x[:, 0:1] * self.scale
        parts = [1.0 - first, first]
        for _ in range(self.classes - 2):
            parts.append(torch.zeros_like(first))  # noqa: PERF401 - TorchScript
        return torch.cat(parts, 1)


def write_model(folder: Path, module: torch.nn.Module, **changes: object) -> Path:
    """Write a served model as training exports it."""
    weights = folder / "1" / "model.pt"
    weights.parent.mkdir(parents=True)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"`torch\.jit\.", DeprecationWarning)
        if not isinstance(module, torch.jit.ScriptModule):
            module = torch.jit.trace(module.eval(), torch.zeros(1, 2, 4, 4, 4))
        module.save(str(weights))
    channel = {"quantity": "adc_um2_s", "normalisation": "fixed", "scale": 1000.0, "clip": 4.0}
    fields = {
        "name": "anatomy",
        "version": "1",
        "channels": [channel, {**channel, "quantity": "s0"}],
        "spacing_mm": [5.0, 4.0, 4.0],
        "orientation": "SPL",
        "slab_slices": 8,
        "slab_overlap": 2,
        "divisor": [4, 4, 4],
        "classes": [structure.name for structure in STRUCTURES[:2]],
        "sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
        "evaluation": {"free": "field"},
        **changes,
    }
    (folder / "osteon.json").write_text(json.dumps(fields))
    return folder
