"""A model's declaration, `osteon.json`: written here, read by serving.

Keys are the fields of `imaging.model.ModelSpec`; channels are objects, tuples are lists. Free
fields (`tool`, `trained_on`, `evaluation`) stand beside them.
"""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from imaging.model import Channel, ModelSpec

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def write_declaration(spec: ModelSpec, path: Path, free: Mapping[str, Any]) -> None:
    """Write `spec` and the free fields as JSON."""
    document = {**asdict(spec), **free}
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def read_declaration(path: Path) -> ModelSpec:
    """Read the ModelSpec of an `osteon.json`; free fields are left out."""
    values = json.loads(path.read_text(encoding="utf-8"))
    known = {f.name: values[f.name] for f in fields(ModelSpec) if f.name in values}
    known["channels"] = tuple(Channel(**c) for c in known["channels"])
    for name in ("spacing_mm", "divisor", "classes"):
        known[name] = tuple(known[name])
    return ModelSpec(**known)
