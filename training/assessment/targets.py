"""The published numbers that a model is held to (`papers.md` D1, D2), met or missed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from imaging.anatomy import ORGANS, STRUCTURES
from training.assessment.patients import by_patient
from training.assessment.structure_summary import summarise_scores

if TYPE_CHECKING:
    from collections.abc import Sequence

    from training.assessment.burden_summary import BurdenSummary
    from training.assessment.structure_summary import Spread
    from training.scoring.case import CaseResult

    Structures = dict[str, dict[str, Spread]]


@dataclass(frozen=True)
class Target:
    """What was asked, what was found (None where nothing defines it) and whether that is met."""

    title: str
    asked: str
    found: float | None
    met: bool | None
    source: str


_AT_LEAST = (
    ("skeleton", "dice", 0.67),
    ("skeleton", "precision", 0.60),
    ("skeleton", "recall", 0.73),
    ("skeleton_without_ribs", "dice", 0.76),
    ("organs", "dice", 0.83),
    ("organs", "precision", 0.79),
    ("organs", "recall", 0.81),
    ("spinal_canal", "dice", 0.86),
    ("spinal_canal", "precision", 0.79),
    ("spinal_canal", "recall", 0.94),
)
_MEASURED = ("skeleton", *(o.name for o in ORGANS), "spinal_canal")
"""Where ADC and volume of the whole structure are compared."""


def anatomy_targets(structures: Structures, network_seconds: Sequence[float]) -> list[Target]:
    """Return D1: means over exams; "every structure" is the worst structure's mean."""
    rows = [
        _at_least(
            f"{name.replace('_', ' ')}: {number}", _mean(structures, name, number), limit, "D1"
        )
        for name, number, limit in _AT_LEAST
    ]
    singles = [s.name for s in STRUCTURES[1:]]
    for number, title, among, limit in (
        ("surface_distance_mm", "surface distance mm", singles, 3.0),
        ("adc_difference_percent", "median ADC difference %", _MEASURED, 10.0),
        ("log_volume_difference_percent", "log-volume difference %", _MEASURED, 4.0),
    ):
        worst, value = _worst(structures, among, number)
        rows.append(_below(f"{title}, worst structure{worst}", value, limit, "D1"))
    seconds = float(np.median(network_seconds)) if network_seconds else None
    return [*rows, _at_most("network seconds, median, on this machine", seconds, 25.0, "D1")]


def disease_targets(cases: Sequence[CaseResult], burden: BurdenSummary) -> list[Target]:
    """Return D2: the whole disease mask's Dice and surfaces, log-TDV and gADC."""
    groups = [[c.disease for c in group if c.disease] for group in by_patient(cases)]
    numbers = summarise_scores(groups)
    dice, distance = (
        numbers[name].mean.value if name in numbers else None
        for name in ("dice", "surface_distance_mm")
    )
    log_tdv, gadc = (
        e.median_absolute if e else None
        for e in (burden.log_tdv_difference_percent, burden.gadc_error_percent)
    )
    return [
        _at_least("disease mask: Dice, mean", dice, 0.60, "D2"),
        _at_most("disease mask: surface distance mm, mean", distance, 2.0, "D2"),
        _below("log-TDV difference %, median of ln(mL)", log_tdv, 9.0, "D2"),
        _below("gADC difference %, median", gadc, 5.0, "D2"),
    ]


def _mean(structures: Structures, name: str, number: str) -> float | None:
    found = structures.get(name, {}).get(number)
    return found.mean.value if found else None


def _worst(structures: Structures, among: Sequence[str], number: str) -> tuple[str, float | None]:
    means = [
        (mean, name) for name in among if (mean := _mean(structures, name, number)) is not None
    ]
    if not means:
        return "", None
    value, name = max(means)
    return f" ({name.replace('_', ' ')})", value


def _at_least(title: str, found: float | None, limit: float, source: str) -> Target:
    return Target(title, f"≥ {limit:g}", found, None if found is None else found >= limit, source)


def _at_most(title: str, found: float | None, limit: float, source: str) -> Target:
    return Target(title, f"≤ {limit:g}", found, None if found is None else found <= limit, source)


def _below(title: str, found: float | None, limit: float, source: str) -> Target:
    return Target(title, f"< {limit:g}", found, None if found is None else found < limit, source)
