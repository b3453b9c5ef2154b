"""When a study is taken to be whole.

A quiet timer alone is wrong: mercure#32 closed studies while a series still arrived
(reliability.md B2). So an open association that has sent to a study keeps it open.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

DEFAULT_QUIET_S = 60.0


@dataclass(frozen=True)
class StudyArrivals:
    """What is known of the arrival of one study since it was last closed."""

    study_uid: str
    last_at_s: float
    """Monotonic clock, seconds; the start of the process for what arrived before it."""
    busy: bool
    """An association that has sent to this study is still open."""


class CompletionRule(Protocol):
    """Decides from arrivals alone; calling it changes nothing."""

    def due(self, study: StudyArrivals, now_s: float) -> bool:
        """Tell whether the study is whole at `now_s` (monotonic clock, seconds)."""


@dataclass(frozen=True)
class QuietPeriod:
    """Whole when no association is at it and nothing came for `seconds`."""

    seconds: float = DEFAULT_QUIET_S

    def due(self, study: StudyArrivals, now_s: float) -> bool:
        """See `CompletionRule`."""
        return not study.busy and now_s - study.last_at_s >= self.seconds
