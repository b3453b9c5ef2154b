"""Served models on disk, in Triton's layout: `osteon.json` beside `1/model.pt`."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from imaging.errors import ModelMismatch
from imaging.model import Channel, ModelSpec

if TYPE_CHECKING:
    from pathlib import Path

DECLARATION = "osteon.json"
WEIGHTS = "1/model.pt"


def load_spec(folder: Path) -> ModelSpec:
    """Read a model's declaration and prove that it belongs to the file beside it.

    A TorchScript file is a program: only a file with the declared digest is ever loaded.

    Raises:
        ModelMismatch: a file is missing, the declaration is not one, or the digest differs.

    """
    spec = _parse(folder)
    weights = folder / WEIGHTS
    if not weights.is_file():
        message = f"model {spec.name}: {WEIGHTS} is missing in {folder}; export the model again"
        raise ModelMismatch(message)
    if digest(weights) != spec.sha256:
        message = (
            f"model {spec.name}: {WEIGHTS} is not the file that {DECLARATION} declares "
            "(sha256 differs); install the two together"
        )
        raise ModelMismatch(message)
    return spec


def digest(path: Path) -> str:
    """Return the sha256 of a file as lower-case hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _parse(folder: Path) -> ModelSpec:
    """Build the declaration from JSON; free fields such as "evaluation" are left alone."""
    try:
        fields: dict[str, Any] = json.loads((folder / DECLARATION).read_text(encoding="utf-8"))
        return ModelSpec(
            name=str(fields["name"]),
            version=str(fields["version"]),
            channels=tuple(_channel(row) for row in fields["channels"]),
            spacing_mm=_three(fields["spacing_mm"]),
            orientation=str(fields["orientation"]),
            slab_slices=int(fields["slab_slices"]),
            slab_overlap=int(fields["slab_overlap"]),
            divisor=_three_whole(fields["divisor"]),
            classes=tuple(str(name) for name in fields["classes"]),
            sha256=str(fields["sha256"]),
            thresholds={str(k): float(v) for k, v in fields.get("thresholds", {}).items()},
        )
    except OSError as error:
        message = f"no model in {folder}: {DECLARATION} cannot be read"
        raise ModelMismatch(message) from error
    except (KeyError, TypeError, ValueError) as error:
        message = f"{folder / DECLARATION} is not a model declaration: {error!r}"
        raise ModelMismatch(message) from error


def _channel(row: dict[str, Any]) -> Channel:
    return Channel(
        quantity=str(row["quantity"]),
        normalisation=str(row["normalisation"]),
        scale=float(row["scale"]),
        clip=float(row["clip"]),
    )


def _three(values: list[Any]) -> tuple[float, float, float]:
    k, j, i = values
    return (float(k), float(j), float(i))


def _three_whole(values: list[Any]) -> tuple[int, int, int]:
    k, j, i = values
    return (int(k), int(j), int(i))
