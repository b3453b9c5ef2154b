"""Whose label means what: a small YAML file from their names and numbers to Osteon's classes.

classes:                      # their number, label, or code -> Osteon's class, or "ignore"
1: skull
"Femur left": femur_left
"SCT:71341001:right": femur_right
channels:                     # nnU-Net only: their channel -> quantity, or b<value>
ADC: {quantity: adc_um2_s, factor: 1000}
b900: b900
patient: "^(.+)_[0-9]+$"      # nnU-Net only: the part of a case's name that is the patient
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from imaging.anatomy import BY_NAME
from training.errors import TrainingError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

IGNORE = "ignore"


@dataclass(frozen=True)
class ChannelSource:
    """What a stored channel is: `quantity` is one of a model's, or "b<s/mm²>"; times `factor`."""

    quantity: str
    factor: float = 1.0


@dataclass(frozen=True)
class ClassMap:
    """The file's content; all keys are text, so that 1 and "1" are one."""

    classes: Mapping[str, str] = field(default_factory=dict)
    channels: Mapping[str, ChannelSource] = field(default_factory=dict)
    patient: str = ""

    def position(self, names: Sequence[str], known: Sequence[str], where: str) -> int | None:
        """Return the position in `known` of what someone calls by `names`; None: ignore it.

        The file decides first. What it does not name is taken where a name is itself one of
        `known`. Either way a structure that this task has no class for is ignored, so that one
        file serves every task.

        Raises:
            TrainingError: `CLASSES`, neither the file nor Osteon knows it.

        """
        ours = next((self.classes[n] for n in names if n in self.classes), None)
        if ours is None:
            ours = next((n for n in names if n in known), None)
        called = [ours] if ours else names
        if ours not in known and any(n in BY_NAME or n == "disease" for n in called):
            return None
        if ours is None:
            listed = " / ".join(n for n in names if n)
            message = f"{where}: label {listed} is not known; give it a class, or {IGNORE}, in YAML"
            raise TrainingError(message, code="CLASSES")
        if ours == IGNORE:
            return None
        return _position(ours, known, where)

    def patient_of(self, case: str) -> str:
        """Return the patient that a case's name tells; the case itself without a pattern."""
        found = re.search(self.patient, case) if self.patient else None
        return found.group(1) if found else case


def load_class_map(path: Path | None) -> ClassMap:
    """Read the YAML file; without one nothing is renamed.

    Raises:
        TrainingError: `CLASSES`, the file cannot be read or is not of that form.

    """
    if path is None:
        return ClassMap()
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        return _built(**values)
    except (OSError, yaml.YAMLError, re.error, TypeError, ValueError, AttributeError) as error:
        raise TrainingError(f"{path}: {error}", code="CLASSES") from error


def _built(
    classes: dict[Any, Any] | None = None,
    channels: dict[Any, Any] | None = None,
    patient: str = "",
) -> ClassMap:
    if patient and re.compile(patient).groups != 1:
        raise ValueError("patient must hold one group in brackets")
    return ClassMap(
        {str(k): str(v) for k, v in (classes or {}).items()},
        {str(k): _channel(v) for k, v in (channels or {}).items()},
        patient,
    )


def _position(name: str, known: Iterable[str], where: str) -> int:
    listed = list(known)
    if name not in listed:
        message = f"{where}: {name!r} is no class of this task; it has {', '.join(listed)}"
        raise TrainingError(message, code="CLASSES")
    return listed.index(name)


def _channel(value: Any) -> ChannelSource:  # noqa: ANN401 - YAML holds anything
    return ChannelSource(value) if isinstance(value, str) else ChannelSource(**value)
