"""The anatomy table in words: atlases and networks on the same scans, in the same run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from training.assessment.cells import interval, number
from training.assessment.intervals import bootstrap_mean
from training.assessment.significance import bonferroni, wilcoxon_p
from training.assessment.structure_summary import numbers_of, summarise_scores
from training.seeds import parse_seeds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from training.experiment import Experiment
    from training.reproduction.scans import ScanResult

ATLAS = "atlas"
NETWORK = "network, soft labels"
HARD = "network, hard labels"
NETWORKS = {"soft": NETWORK, "majority": HARD}
"""By what they are trained on (`training.experiment.LABELS`)."""
RATIO = 12.0
"""How many times the published network is faster than its atlases: 25 s against 5 min."""
_DICE = ("skeleton", "skeleton_without_ribs", "organs", "spinal_canal")
_DISTANCE = ("skeleton", "organs", "spinal_canal")
_COMPARED = (
    ("skeleton", "dice", "Dice skeleton", 3),
    ("skeleton_without_ribs", "dice", "Dice without ribs", 3),
    ("organs", "dice", "Dice organs", 3),
    ("spinal_canal", "dice", "Dice canal", 3),
    ("skeleton", "recall", "recall skeleton", 3),
    ("skeleton", "precision", "precision skeleton", 3),
    ("skeleton", "surface_distance_mm", "ASD mm skeleton", 2),
)
_PUBLISHED = ("0.67", "0.76", "0.83", "0.86", "< 3", "< 3", "< 3")


def anatomy_table(experiment: Experiment, results: Sequence[ScanResult]) -> str:
    """Return the table and what must be known to read it."""
    rows = [_row(method, results) for method in (ATLAS, *NETWORKS.values())]
    lines = [
        "### Anatomy: networks trained on labels by atlas against the atlases that made them",
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
        "",
        *_soft_against_hard(results),
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
        f"Synthetic patients only. {atlases} atlases (seeds {experiment.atlas.seeds}); networks "
        f"trained on {scans} scans (seeds {cohort.train_seeds}) for {experiment.fit.steps} steps, "
        f"grid {grid} mm, one on the shares of the atlases (soft), one on the most probable class "
        "of the same shares (hard), with the same first weights and the same patches; none saw the "
        f"truth of a scan. Measured on {n} patients that no method saw (seeds "
        f"{cohort.evaluation_seeds}), against their truth on the images' grid. Means with "
        "95 % bootstrap intervals; seconds are medians from the model's input to probabilities, "
        "one thread each, one after the other."
    )


def _soft_against_hard(results: Sequence[ScanResult]) -> list[str]:
    """Compare scan by scan: which labels are better is as it comes out."""
    tests = [(*what, *_pairs(results, *what[:2])) for what in _COMPARED]
    corrected = bonferroni([wilcoxon_p(soft, hard) for *_, soft, hard in tests])
    made = sum(p is not None for p in corrected)
    lines = [
        (
            "Soft minus hard, scan by scan: mean with 95 % bootstrap interval, and Wilcoxon "
            f"signed-rank p x {made} (Bonferroni)."
        ),
        "",
        "| number | soft - hard | scans | p x tests |",
        "|---|---|---|---|",
    ]
    for (name, key, title, digits, soft, hard), p in zip(tests, corrected, strict=True):
        del name, key
        spread = bootstrap_mean([[a - b] for a, b in zip(soft, hard, strict=True)])
        cells = [title, interval(spread, digits), str(len(soft)), number(p, 4)]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _pairs(
    results: Sequence[ScanResult], structure: str, key: str
) -> tuple[list[float], list[float]]:
    """Return a number of both networks on the scans where both have it."""
    rows = [
        [numbers_of(held[structure]).get(key) if structure in held else None for held in answers]
        for answers in ([r.answers[m].structures for m in NETWORKS.values()] for r in results)
    ]
    known = [(soft, hard) for soft, hard in rows if soft is not None and hard is not None]
    return [soft for soft, _ in known], [hard for _, hard in known]


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
