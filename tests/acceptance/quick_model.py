"""A served model that is quick and knows one organ: what is fluid is liver. For crash tests."""

import hashlib
import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from imaging.anatomy import BY_NAME, STRUCTURES


class FluidIsLiver(torch.nn.Module):
    """Liver where the ADC is above 1000 µm²/s, background elsewhere."""

    def __init__(self, classes: int, liver: int) -> None:
        super().__init__()
        self.classes = classes
        self.liver = liver

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        liver = (x[:, 0] > 1.0).float() * 0.98 + 0.01
        none = torch.zeros_like(liver)
        parts = [none] * self.classes
        parts[0], parts[self.liver] = 1.0 - liver, liver
        return torch.stack(parts, 1)


def write_quick_model(repository: Path) -> Path:
    """Write a repository whose anatomy is `FluidIsLiver`."""
    module = FluidIsLiver(len(STRUCTURES), BY_NAME["liver"].label)
    with _known_warnings():
        traced = torch.jit.trace(module.eval(), torch.zeros(1, 2, 4, 4, 4))
    return write_anatomy(repository, "fluid-is-liver", traced, [10.0, 10.0, 10.0], slab_slices=64)


def write_anatomy(
    repository: Path,
    name: str,
    network: torch.jit.ScriptModule,
    spacing_mm: list[float],
    slab_slices: int,
) -> Path:
    """Write a repository whose anatomy is `network`: ADC and S0 in, all structures out."""
    weights = repository / "anatomy/1/model.pt"
    weights.parent.mkdir(parents=True)
    with _known_warnings():
        network.save(str(weights))
    adc = {"quantity": "adc_um2_s", "normalisation": "fixed", "scale": 1000.0, "clip": 4.0}
    s0 = {"quantity": "s0", "normalisation": "percentile", "scale": 1.0, "clip": 4.0}
    declaration = {
        "name": name,
        "version": "1",
        "channels": [adc, s0],
        "spacing_mm": spacing_mm,
        "orientation": "SPL",
        "slab_slices": slab_slices,
        "slab_overlap": 8,
        "divisor": [4, 4, 4],
        "classes": [structure.name for structure in STRUCTURES],
        "sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
    }
    (repository / "anatomy/osteon.json").write_text(json.dumps(declaration))
    return repository


@contextmanager
def _known_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"`torch\.jit\.", DeprecationWarning)
        yield
