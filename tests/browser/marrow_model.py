"""A served model that is quick and knows bone by the ADC of marrow, so that disease is found.

It draws search regions, no anatomy: the numbers of a study that it measured mean nothing, but all
of them are there: disease, lesions, regions, organs, and bones that two visits can be matched by.
"""

import hashlib
import json
import warnings
from pathlib import Path

import torch
from torch.nn.functional import max_pool3d

from imaging.anatomy import BY_NAME, STRUCTURES

_UPWARDS = ("pelvis", "lumbar_spine", "thoracic_spine", "cervical_spine")
"""Of the slab's slices a quarter each, from the feet to the head."""


class MarrowIsBone(torch.nn.Module):
    """Bone is two voxels around marrow's ADC, 250 to 650 µm²/s; fluid, from 2200, is bladder."""

    def __init__(self) -> None:
        super().__init__()
        self.classes = len(STRUCTURES)
        self.bones = [BY_NAME[name].label for name in _UPWARDS]
        self.bladder = BY_NAME["bladder"].label

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        adc, s0 = x[:, 0], x[:, 1]
        marrow = ((adc > 0.25) & (adc < 0.65) & (s0 > 0.05)).float()
        bone = max_pool3d(marrow[:, None], 5, 1, 2)[:, 0]
        fluid = (adc > 2.2).float()
        bone = bone * (1.0 - fluid)
        quarter = torch.arange(x.shape[2]) * len(self.bones) // x.shape[2]
        none = torch.zeros_like(bone)
        parts = [none] * self.classes
        for number, label in enumerate(self.bones):
            parts[label] = bone * (quarter == number).float()[None, :, None, None] * 0.98
        parts[self.bladder] = fluid * 0.98
        parts[0] = 1.0 - 0.98 * bone - 0.98 * fluid
        return torch.stack(parts, 1)


class Broken(torch.nn.Module):
    """A model whose every answer is an error, as where a wrong file was installed."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.reshape(-1, 7, 11, 13)


def write_models(repository: Path, module: torch.nn.Module) -> Path:
    """Write a repository whose anatomy is `module`."""
    weights = repository / "anatomy/1/model.pt"
    weights.parent.mkdir(parents=True)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"`torch\.jit\.", DeprecationWarning)
        torch.jit.script(module.eval()).save(str(weights))
    adc = {"quantity": "adc_um2_s", "normalisation": "fixed", "scale": 1000.0, "clip": 4.0}
    s0 = {"quantity": "s0", "normalisation": "percentile", "scale": 1.0, "clip": 4.0}
    declaration = {
        "name": "marrow-is-bone",
        "version": "1",
        "channels": [adc, s0],
        "spacing_mm": [10.0, 5.0, 5.0],
        "orientation": "SPL",
        "slab_slices": 96,
        "slab_overlap": 8,
        "divisor": [4, 4, 4],
        "classes": [structure.name for structure in STRUCTURES],
        "sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
    }
    (repository / "anatomy/osteon.json").write_text(json.dumps(declaration))
    return repository
