"""The models of a repository and their versions: which serve, and whether they are sound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SOUND = "ok"
_UNKNOWN = ("?", "?", "?")


@dataclass(frozen=True)
class ModelRow:
    """One version of one model."""

    folder: str
    number: int
    name: str
    version: str
    sha256: str
    serves: str
    """"serves", the share of the studies that it gets on trial, or nothing."""
    state: str
    """`SOUND`: declaration and file agree; else a sentence that says what does not."""

    @property
    def sound(self) -> bool:
        """Whether declaration and file agree."""
        return self.state == SOUND


def repository_rows(repository: Path) -> list[ModelRow]:
    """Return every version of every model of a repository; each file is read and its digest held.

    A file that is not what its declaration says is a row too: its `state` says so.
    """
    from workers.inference.repository import DECLARATION  # noqa: PLC0415

    folders = [path.parent for path in sorted(repository.glob(f"*/{DECLARATION}"))]
    return [row for folder in folders for row in model_rows(folder)]


def model_rows(folder: Path) -> list[ModelRow]:
    """Return every version of one model; of a folder without any one row that says so."""
    from workers.inference.repository import versions_of  # noqa: PLC0415

    return [_row(folder, number) for number in versions_of(folder) or (1,)]


def _row(folder: Path, number: int) -> ModelRow:
    from imaging.errors import ModelMismatch  # noqa: PLC0415
    from workers.inference.repository import load_spec  # noqa: PLC0415
    from workers.inference.serving import read_serving  # noqa: PLC0415

    try:
        serving = read_serving(folder)
        spec = load_spec(folder, number)
    except ModelMismatch as error:
        return ModelRow(folder.name, number, *_UNKNOWN, serves="", state=str(error))
    trial = serving.canary
    part = f"{trial.percent:g} % of the studies" if trial and trial.version == number else ""
    serves = "serves" if number == serving.version else part
    identity = (spec.name, spec.version, spec.sha256)
    return ModelRow(folder.name, number, *identity, serves=serves, state=SOUND)
