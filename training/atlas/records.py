"""Beside a case: its soft labels, and how and in what time they were made."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from training.atlas.soft_labels import read_soft_labels
from training.errors import TrainingError
from training.timing import ScanTime

if TYPE_CHECKING:
    from pathlib import Path

    from training.cases import Case


@dataclass(frozen=True)
class SoftRecord:
    """How one case's soft labels were made. `recipe` decides the result, the time does not."""

    recipe: dict[str, Any]
    atlases: tuple[str, ...]
    time: ScanTime


def soft_path(case_path: Path) -> Path:
    """Where the soft labels of a case lie."""
    return case_path.with_suffix(".soft.npz")


def record_path(case_path: Path) -> Path:
    """Where the record of a case's soft labels lies; it is written after them."""
    return case_path.with_suffix(".soft.json")


def write_record(record: SoftRecord, path: Path) -> None:
    """Write a record under its final name in one step."""
    partial = path.with_suffix(f".{os.getpid()}.partial")
    partial.write_text(json.dumps(asdict(record), indent=2) + "\n", encoding="utf-8")
    partial.replace(path)


def read_record(path: Path) -> SoftRecord:
    """Read a record.

    Raises:
        TrainingError: `SOFT_LABELS`, the file is not one.

    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        time = ScanTime(**values["time"])
        return SoftRecord(values["recipe"], tuple(values["atlases"]), time)
    except (OSError, KeyError, TypeError, ValueError) as error:
        message = f"{path} is no record of soft labels ({error}); run `osteon train atlas`"
        raise TrainingError(message, code="SOFT_LABELS") from error


def is_current(case_path: Path, recipe: dict[str, Any]) -> bool:
    """Whether the case's soft labels are there and were made by this recipe."""
    path = record_path(case_path)
    if not (path.exists() and soft_path(case_path).exists()):
        return False
    return read_record(path).recipe == recipe


def with_soft_labels(case: Case, case_path: Path, recipe: dict[str, Any]) -> Case:
    """Return the case with its soft labels, and with the most probable class as hard labels.

    So nothing that is trained on the case sees labels that the atlases did not give.

    Raises:
        TrainingError: `SOFT_LABELS`, they are missing, were made by another recipe, or are on
            another grid.

    """
    if not is_current(case_path, recipe):
        message = (
            f"{case.name} has no soft labels by this experiment's atlases; run `osteon train atlas`"
        )
        raise TrainingError(message, code="SOFT_LABELS")
    soft = read_soft_labels(soft_path(case_path))
    if soft.shape != case.labels.shape:
        message = (
            f"{case.name}: soft labels of {soft.shape} beside a case of {case.labels.shape}; "
            "the case was prepared again, so delete the soft labels and run `osteon train atlas`"
        )
        raise TrainingError(message, code="SOFT_LABELS")
    return replace(case, labels=soft.most_probable(), soft=soft)
