"""Bring a version of a model into the repository, and write down what it answers."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import asdict
from typing import TYPE_CHECKING

from imaging.errors import ModelMismatch
from imaging.known_slab import KEY
from workers.inference.repository import (
    DECLARATION,
    WEIGHTS,
    declaration_of,
    load_spec,
    versions_of,
    weights_of,
)

if TYPE_CHECKING:
    from pathlib import Path

    from imaging.known_slab import KnownAnswer

CONFIG = "config.pbtxt"
_CARD = "MODEL_CARD.md"
_POLICY = re.compile(r"^version_policy\b.*\n", re.MULTILINE)
_FIRST = re.compile(r"^max_batch_size\b.*\n", re.MULTILINE)


def add_version(source: Path, folder: Path) -> int:
    """Copy the model in `source` into `folder` under the next number, which is returned.

    It serves only once it is promoted; Triton loads it at its next start.

    Raises:
        ModelMismatch: `source` is no usable model, the same file is there already, or its channels
            or classes differ in number from those of the versions that are there.

    """
    spec = load_spec(source, 1)
    versions = versions_of(folder)
    for known in versions:
        _refuse_twin(spec.sha256, folder, known)
    if not versions:
        message = f"there is no model in {folder}; copy {source} there instead"
        raise ModelMismatch(message)
    first = load_spec(folder, versions[0])
    sizes = (len(spec.channels), len(spec.classes))
    if sizes != (len(first.channels), len(first.classes)):
        message = (
            f"{source} has {sizes[0]} channels and {sizes[1]} classes, version {versions[0]} of "
            f"{folder.name} {len(first.channels)} and {len(first.classes)}: versions share one "
            f"{CONFIG}, so give it a name of its own"
        )
        raise ModelMismatch(message)
    number = versions[-1] + 1
    _copy(source, folder / str(number))
    _load_at_start(folder, (*versions, number))
    return number


def record_answer(folder: Path, version: int, answer: KnownAnswer) -> None:
    """Write into a version's declaration what its file answers to the known slab."""
    path = declaration_of(folder, version)
    fields = json.loads(path.read_text(encoding="utf-8"))
    fields[KEY] = asdict(answer)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(fields, indent=2) + "\n", encoding="utf-8")
    partial.replace(path)


def config_with(text: str, versions: tuple[int, ...]) -> str:
    """Return Triton's configuration with these versions loaded, and no others.

    Raises:
        ModelMismatch: the text is not one that export wrote.

    """
    numbers = ", ".join(str(number) for number in versions)
    policy = f"version_policy {{ specific {{ versions: [ {numbers} ] }} }}\n"
    if _POLICY.search(text):
        return _POLICY.sub(policy, text, count=1)
    if not _FIRST.search(text):
        message = f"{CONFIG} has no max_batch_size: export the model again"
        raise ModelMismatch(message)
    return _FIRST.sub(lambda found: found.group() + policy, text, count=1)


def _refuse_twin(sha256: str, folder: Path, version: int) -> None:
    if load_spec(folder, version).sha256 == sha256:
        message = f"this file is version {version} of {folder.name} already"
        raise ModelMismatch(message)


def _copy(source: Path, target: Path) -> None:
    """Copy under another name first: a server that starts meanwhile must not see half a version."""
    partial = target.with_name(f".{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    shutil.copyfile(weights_of(source, 1), partial / WEIGHTS)
    shutil.copyfile(declaration_of(source, 1), partial / DECLARATION)
    if (source / _CARD).is_file():
        shutil.copyfile(source / _CARD, partial / _CARD)
    partial.rename(target)


def _load_at_start(folder: Path, versions: tuple[int, ...]) -> None:
    path = folder / CONFIG
    text = config_with(path.read_text(encoding="utf-8"), versions)
    partial = path.with_suffix(".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
