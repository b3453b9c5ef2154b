"""What a person must say about a model that others trained: one small YAML file.

name: anatomy                 # the folder in the repository
channels:                     # what Osteon feeds, in the model's order
- {quantity: adc_um2_s, normalisation: zscore, scale: 1, clip: 10}
- s0                        # nnU-Net: the normalisation stands in its plans
classes:                      # theirs (name or number) -> Osteon's, or "ignore" (background)
background: background
vertebra_L1: lumbar_spine
spacing_mm: [5, 2, 2]         # a bundle's, along its own axes; nnU-Net's stands in its plans
axes: RAS                     # where a bundle's array axes point
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from imaging.anatomy import STRUCTURES
from imaging.model import Channel
from training.errors import TrainingError

if TYPE_CHECKING:
    from pathlib import Path

IGNORE = "ignore"
_OURS = [*(s.name for s in STRUCTURES), "disease"]


@dataclass(frozen=True)
class ImportPlan:
    """The file's content; values that are left out are the source's or the default."""

    name: str
    channels: tuple[Channel | str, ...]
    classes: dict[str, str] = field(default_factory=dict)
    version: str = ""
    spacing_mm: tuple[float, float, float] | None = None
    axes: str = "RAS"
    activation: str = "softmax"
    """What is missing after the network's last layer: "softmax", or "none" where it is inside."""
    divisor: tuple[int, int, int] | None = None
    """Along the model's own axes."""
    slab_slices: int = 96
    slab_overlap: int = 16
    fold: int = 0
    configuration: str = ""

    def ours(self, theirs: tuple[str, ...]) -> tuple[tuple[str, ...], list[int]]:
        """Return Osteon's classes, and for each of their classes the position among them.

        Raises:
            TrainingError: `IMPORT`, a class of theirs is not mapped, or to no class of Osteon.

        """
        named = [self._class_of(n, name) for n, name in enumerate(theirs)]
        used = {"background", *named}
        classes = tuple(name for name in _OURS if name in used)
        return classes, [classes.index(name) for name in named]

    def _class_of(self, number: int, name: str) -> str:
        known = self.classes.get(name, self.classes.get(str(number)))
        if known is None and name in _OURS:
            known = name
        if known == IGNORE:
            return "background"
        if known not in _OURS:
            said = "is not mapped" if known is None else f"is mapped to {known!r}"
            message = (
                f"class {number} ({name}) of the model {said}; map it to one of Osteon's structures"
                f", to disease or to {IGNORE} under `classes`"
            )
            raise TrainingError(message, code="IMPORT")
        return known


def load_plan(path: Path) -> ImportPlan:
    """Read the YAML file.

    Raises:
        TrainingError: `IMPORT`, the file cannot be read or is not of that form.

    """
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
        return _built(dict(values))
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise TrainingError(f"{path}: {error}", code="IMPORT") from error


def _built(values: dict[str, Any]) -> ImportPlan:
    values["channels"] = tuple(
        row if isinstance(row, str) else Channel(**row) for row in values["channels"]
    )
    values["classes"] = {str(k): str(v) for k, v in values.get("classes", {}).items()}
    for name in ("spacing_mm", "divisor"):
        if name in values:
            k, j, i = values[name]
            values[name] = (k, j, i)
    plan = ImportPlan(**values)
    if plan.activation not in ("softmax", "none"):
        raise ValueError(f"activation must be softmax or none, not {plan.activation!r}")
    if not plan.name.replace("_", "").replace("-", "").isalnum():
        raise ValueError(f"name {plan.name!r} must be a plain word: it becomes a folder")
    return plan
