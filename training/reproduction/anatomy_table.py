"""The anatomy table in words: atlas and network on the same scans, in the same run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from training.assessment.cells import interval, number
from training.assessment.structure_summary import summarise_scores
from training.seeds import parse_seeds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from training.experiment import Experiment
    from training.reproduction.scans import ScanResult

ATLAS = "atlas"
NETWORK = "network"
RATIO = 12.0
"""How many times the published network is faster than its atlases: 25 s against 5 min."""
_DICE = ("skeleton", "skeleton_without_ribs", "organs", "spinal_canal")
_DISTANCE = ("skeleton", "organs", "spinal_canal")
_PUBLISHED = ("0.67", "0.76", "0.83", "0.86", "< 3", "< 3", "< 3")


def anatomy_table(experiment: Experiment, results: Sequence[ScanResult]) -> str:
    """Return the table and what must be known to read it."""
    rows = [_row(method, results) for method in (ATLAS, NETWORK)]
    lines = [
        "### Anatomy: network trained on soft labels against the atlases that made them",
        "",
        _how(experiment, len(results)),
        "",
        (
            "| | Dice skeleton | without ribs | organs | canal | ASD mm skeleton | organs | canal "
            "| seconds a scan | processor seconds |"
        ),
        "|" + "---|" * 10,
        *(f"| {' | '.join(row)} |" for row in rows),
        f"| published network (real patients) | {' | '.join(_PUBLISHED)} | 25 | - |",
        "",
        *_ratios(results),
        _atlases_needed(experiment, results),
    ]
    return "\n".join(lines) + "\n"


def speed_ratios(results: Sequence[ScanResult], clock: str) -> list[float]:
    """Return atlas over network of every scan; `clock` is "wall_s" or "cpu_s"."""
    return [
        getattr(r.answers[ATLAS].time, clock) / getattr(r.answers[NETWORK].time, clock)
        for r in results
    ]


def _how(experiment: Experiment, n: int) -> str:
    cohort, grid = experiment.cohort, " x ".join(f"{mm:g}" for mm in experiment.grid.spacing_mm)
    atlases = len(parse_seeds(experiment.atlas.seeds))
    scans = len(parse_seeds(cohort.train_seeds))
    return (
        f"Synthetic patients only. {atlases} atlases (seeds {experiment.atlas.seeds}); network "
        f"trained on the soft labels of {scans} scans (seeds {cohort.train_seeds}), "
        f"{experiment.fit.steps} steps, grid {grid} mm; measured on {n} patients that neither saw "
        f"(seeds {cohort.evaluation_seeds}), against their truth on the images' grid. Means with "
        "95 % bootstrap intervals; seconds are medians from the model's input to probabilities, "
        "one thread each, one after the other."
    )


def _row(method: str, results: Sequence[ScanResult]) -> list[str]:
    dice = [_cell(method, name, "dice", results, 3) for name in _DICE]
    distance = [_cell(method, name, "surface_distance_mm", results, 2) for name in _DISTANCE]
    times = [r.answers[method].time for r in results]
    seconds = (np.median([t.wall_s for t in times]), np.median([t.cpu_s for t in times]))
    return [method, *dice, *distance, *(number(float(s), 2) for s in seconds)]


def _cell(method: str, structure: str, key: str, results: Sequence[ScanResult], digits: int) -> str:
    answers = [r.answers[method].structures for r in results]
    scores = [[found[structure]] for found in answers if structure in found]
    spread = summarise_scores(scores).get(key) if scores else None
    return interval(spread.mean, digits) if spread else "-"


def _ratios(results: Sequence[ScanResult]) -> list[str]:
    lines = []
    for clock, title in (("wall_s", "on the clock"), ("cpu_s", "in processor time")):
        ratios = speed_ratios(results, clock)
        middle = float(np.median(ratios))
        verdict = "met" if middle >= RATIO else "**missed**"
        lines.append(
            f"- Network faster {title}: {middle:.1f}x (median; {min(ratios):.1f} to "
            f"{max(ratios):.1f}); asked ≥ {RATIO:g}x: {verdict}."
        )
    return lines


def _atlases_needed(experiment: Experiment, results: Sequence[ScanResult]) -> str:
    """Say what one atlas takes: the ratio is that times their number, ours to choose."""
    n = len(parse_seeds(experiment.atlas.seeds))
    each = [s / n for s in speed_ratios(results, "cpu_s")]
    middle = float(np.median(each))
    return (
        f"- One atlas takes {middle:.1f} times the network's processor time, so the ratio grows "
        f"with their number ({n} here): {RATIO:g}x needs {int(np.ceil(RATIO / middle))}."
    )
