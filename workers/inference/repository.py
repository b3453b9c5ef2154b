"""Served models on disk, in Triton's layout: `osteon.json` beside `1/model.pt`.

Later versions have their own declaration, `2/osteon.json` beside `2/model.pt`; the one at the top
is that of version 1. Which version serves says `workers.inference.serving`.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from imaging.errors import ModelMismatch
from imaging.known_slab import KEY, parse
from imaging.model import Channel, ModelSpec
from workers.inference.serving import read_serving

if TYPE_CHECKING:
    from pathlib import Path

    from imaging.known_slab import KnownAnswer

DECLARATION = "osteon.json"
WEIGHTS = "model.pt"


def versions_of(folder: Path) -> tuple[int, ...]:
    """Return the numbers of the versions that have a model file, ascending."""
    names = (path.parent.name for path in folder.glob(f"*/{WEIGHTS}"))
    return tuple(sorted(int(name) for name in names if name.isdecimal() and int(name) > 0))


def weights_of(folder: Path, version: int) -> Path:
    """Return where the file of a version is."""
    return folder / str(version) / WEIGHTS


def declaration_of(folder: Path, version: int) -> Path:
    """Return where the declaration of a version is; version 1 may have it at the top."""
    own = folder / str(version) / DECLARATION
    return own if version > 1 or own.is_file() else folder / DECLARATION


def load_spec(folder: Path, version: int | None = None) -> ModelSpec:
    """Read a model's declaration and prove that it belongs to the file beside it.

    A TorchScript file is a program: only a file with the declared digest is ever loaded.

    Args:
        folder: the model's folder in the repository.
        version: its numbered folder; the one that serves if not given.

    Raises:
        ModelMismatch: a file is missing, the declaration is not one, or the digest differs.

    """
    version = version or read_serving(folder).version
    spec = _parse(declaration_of(folder, version))
    weights = weights_of(folder, version)
    file = f"{version}/{WEIGHTS}"
    if not weights.is_file():
        message = f"model {spec.name}: {file} is missing in {folder}; export the model again"
        raise ModelMismatch(message)
    if digest(weights) != spec.sha256:
        message = (
            f"model {spec.name}: {file} is not the file that {DECLARATION} declares "
            "(sha256 differs); install the two together"
        )
        raise ModelMismatch(message)
    return spec


def load_known_answer(folder: Path, version: int) -> KnownAnswer | None:
    """Return what a version answers to the known slab; None where its declaration has none.

    Raises:
        ModelMismatch: there is no declaration, or what it says is no answer.

    """
    fields = _read(declaration_of(folder, version))
    row = fields.get(KEY)
    return None if row is None else parse(str(fields.get("name")), row)


def digest(path: Path) -> str:
    """Return the sha256 of a file as lower-case hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read(declaration: Path) -> dict[str, Any]:
    try:
        fields = json.loads(declaration.read_text(encoding="utf-8"))
    except OSError as error:
        message = f"no model in {declaration.parent}: {DECLARATION} cannot be read"
        raise ModelMismatch(message) from error
    except ValueError as error:
        message = f"{declaration} is not a model declaration: {error!r}"
        raise ModelMismatch(message) from error
    if not isinstance(fields, dict):
        message = f"{declaration} is not a model declaration: it is no object"
        raise ModelMismatch(message)
    return fields


def _parse(declaration: Path) -> ModelSpec:
    """Build the declaration from JSON; free fields such as "evaluation" are left alone."""
    fields = _read(declaration)
    try:
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
    except (KeyError, TypeError, ValueError) as error:
        message = f"{declaration} is not a model declaration: {error!r}"
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
