"""How far a run is, and the learning rate there: one cycle, up fast and down as a cosine."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from training.experiment import FitSettings

_FINAL_SHARE = 0.005


def progress(step: int, elapsed_s: float, steps: int, max_minutes: float | None) -> float:
    """Return 0 to 1: the share of the steps done, or of the minutes where those run out first.

    With a limit in minutes the schedule still ends low, on a slow machine as on a fast one. It
    also makes two runs differ; without one, a run is decided by its seed.
    """
    by_steps = step / steps
    by_time = elapsed_s / (60 * max_minutes) if max_minutes else 0.0
    return min(1.0, max(by_steps, by_time))


def learning_rate(settings: FitSettings, done: float) -> float:
    """Return the learning rate at `done` (0 to 1) of the run."""
    if done < settings.warmup:
        return settings.learning_rate * (0.05 + 0.95 * done / settings.warmup)
    share = (done - settings.warmup) / (1 - settings.warmup)
    wave = (1 + math.cos(math.pi * share)) / 2
    return settings.learning_rate * (_FINAL_SHARE + (1 - _FINAL_SHARE) * wave)
