"""How far a job is, and how long it may still take, judged by how long its stages took before."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jobs.job import JobState, Stage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jobs.job import Job
    from jobs.store import JobStore

_PATH = tuple(Stage)
_VALID_S = 60.0


@dataclass(frozen=True)
class Pace:
    """Mean seconds of each stage of the jobs of this installation; empty before the first."""

    seconds: Mapping[str, float] = field(default_factory=dict)

    def percent(self, job: Job) -> int:
        """Return how much of its time a job has had, 0 to 100; 100 only when it is delivered."""
        if job.state is JobState.DELIVERED:
            return 100
        if job.stage is None:
            return 0
        weights = {stage: self._weight(stage) for stage in _PATH}
        before = _PATH[: _PATH.index(job.stage)]
        done = sum(weights[stage] for stage in before) + job.progress * weights[job.stage]
        return min(99, int(100 * done / sum(weights.values())))

    def left_s(self, job: Job) -> float | None:
        """Return for how many seconds a running job may go on; None where nothing tells."""
        if job.stage is None or job.stage not in self.seconds:
            return None
        after = _PATH[_PATH.index(job.stage) + 1 :]
        later_s = sum(self.seconds.get(stage, 0.0) for stage in after)
        return (1.0 - job.progress) * self.seconds[job.stage] + later_s

    def _weight(self, stage: Stage) -> float:
        """Return mean seconds; a stage that nobody timed yet counts as the mean of the others."""
        known = list(self.seconds.values())
        return self.seconds.get(stage, sum(known) / len(known) if sum(known) else 1.0)


@dataclass
class KnownPace:
    """Asks the store for it, once a minute."""

    _pace: Pace = field(default_factory=Pace)
    _until: float = 0.0

    def of(self, store: JobStore) -> Pace:
        """Return the pace of the jobs that are done."""
        if time.monotonic() >= self._until:
            totals = store.stage_totals().items()
            self._pace = Pace({stage: seconds / n for stage, (n, seconds) in totals if n})
            self._until = time.monotonic() + _VALID_S
        return self._pace


def span_words(seconds: float) -> str:
    """Say a time in the unit that fits: 40 s, 5 min, 3 h, 12 d."""
    for unit, length_s, until_s in (("s", 1, 90), ("min", 60, 5400), ("h", 3600, 172800)):
        if seconds < until_s:
            return f"{max(0.0, seconds) / length_s:.0f} {unit}"
    return f"{seconds / 86400:.0f} d"
