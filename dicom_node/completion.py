"""When a study is taken to be whole (docs/decisions/0006).

A quiet timer alone is wrong: mercure#32 closed studies while a series still arrived
(reliability.md B2). So an open association that has sent to a study keeps it open, until the
deadline: a peer that never releases may not keep a patient's result for ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

DEFAULT_SETTLE_S = 2.0
DEFAULT_QUIET_S = 60.0
DEFAULT_DEADLINE_S = 7200.0


@dataclass(frozen=True)
class StudyArrivals:
    """What is known of the arrival of one study since it was last closed.

    Times are seconds of the monotonic clock: the start of the process for what arrived before it.
    """

    study_uid: str
    first_at_s: float
    last_at_s: float
    busy: bool
    """An association that has sent to this study is still open."""
    whole: bool = False
    """The content of all that has arrived looks whole."""
    urgent: bool = False
    """A peer whose studies are urgent has sent to it."""


class Cause(StrEnum):
    """Why a study was closed."""

    CONTENT = "its content is whole"
    QUIET = "nothing came for the quiet period"
    DEADLINE = "it waited as long as the deadline allows"


class CompletionRule(Protocol):
    """Decides from arrivals alone; calling it changes nothing."""

    def settled(self, study: StudyArrivals, now_s: float) -> bool:
        """Tell whether it is worth looking at the content at `now_s` (monotonic clock, seconds)."""

    def due(self, study: StudyArrivals, now_s: float) -> Cause | None:
        """Return why the study is to be closed at `now_s`; None while it is not."""


@dataclass(frozen=True)
class QuietPeriod:
    """Whole when no association is at it and nothing came for `seconds`."""

    seconds: float = DEFAULT_QUIET_S

    def settled(self, study: StudyArrivals, now_s: float) -> bool:
        """See `CompletionRule`."""
        return not study.busy and now_s - study.last_at_s >= self.seconds

    def due(self, study: StudyArrivals, now_s: float) -> Cause | None:
        """See `CompletionRule`."""
        return Cause.QUIET if self.settled(study, now_s) else None


@dataclass(frozen=True)
class ContentFirst:
    """Whole by content after a moment of silence; else the quiet period; else the deadline.

    The deadline counts from the first arrival. It does not cut into a transfer: it waits for a
    silence of `settle_s`, whether or not an association is open.
    """

    settle_s: float = DEFAULT_SETTLE_S
    quiet_s: float = DEFAULT_QUIET_S
    deadline_s: float = DEFAULT_DEADLINE_S

    def settled(self, study: StudyArrivals, now_s: float) -> bool:
        """See `CompletionRule`."""
        return QuietPeriod(self.settle_s).settled(study, now_s)

    def due(self, study: StudyArrivals, now_s: float) -> Cause | None:
        """See `CompletionRule`."""
        if study.whole and self.settled(study, now_s):
            return Cause.CONTENT
        if QuietPeriod(self.quiet_s).settled(study, now_s):
            return Cause.QUIET
        late = now_s - study.first_at_s >= self.deadline_s
        silent = now_s - study.last_at_s >= self.settle_s
        return Cause.DEADLINE if late and silent else None
