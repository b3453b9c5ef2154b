"""Interleaved timing: A B A B, so that a machine whose speed drifts is fair to both."""

from __future__ import annotations

import os
import time
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Round(NamedTuple):
    """One run: seconds by the clock, and of all processors together, child processes included."""

    wall_s: float
    cpu_s: float


def interleaved(candidates: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Return the median seconds of each candidate over `rounds`, after one warm-up each."""
    measured = rounds_of(candidates, rounds)
    return {name: median(r.wall_s for r in values) for name, values in measured.items()}


def rounds_of(
    candidates: Mapping[str, Callable[[], object]], rounds: int
) -> dict[str, list[Round]]:
    """Return what each candidate took in each of `rounds`, after one warm-up each."""
    measured: dict[str, list[Round]] = {name: [] for name in candidates}
    for turn in range(rounds + 1):
        for name, run in candidates.items():
            wall, cpu = time.perf_counter(), _cpu_s()
            run()
            if turn:
                measured[name].append(Round(time.perf_counter() - wall, _cpu_s() - cpu))
    return measured


def _cpu_s() -> float:
    return sum(os.times()[:4])
