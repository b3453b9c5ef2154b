"""Earlier studies of a patient that an archive holds: what is wanted, and how far it came."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from jobs.job import JobState

if TYPE_CHECKING:
    from datetime import datetime

FOUND = "FOUND"
"""The code of a search that the archive answered."""


class PriorState(StrEnum):
    """How far an earlier study is on its way here."""

    WANTED = "wanted"  # to be fetched, perhaps not before a moment
    FETCHING = "fetching"  # a node holds the lease
    FETCHED = "fetched"  # all of it is here: an ordinary study now
    FAILED = "failed"  # not to be had; a later study of the patient asks again


@dataclass(frozen=True)
class PriorSearch:
    """What an archive said when a study was due, and how long the study waits for it."""

    study_uid: str
    job_id: str  # of the job that asked
    wait_until: datetime  # UTC
    code: str | None = None  # None: not answered yet; FOUND, or why nobody knows
    left_out: int = 0  # studies under the same Patient ID that say to be another person's

    @property
    def answered(self) -> bool:
        """Whether asking is over, well or not."""
        return self.code is not None


@dataclass(frozen=True)
class WantedPrior:
    """An earlier study that the archive holds and we do not."""

    study_uid: str
    taken_on: str  # YYYYMMDD; empty where the archive does not say


@dataclass(frozen=True)
class WishedPrior:
    """An earlier study as the one that asked for it sees it."""

    study_uid: str
    taken_on: str
    state: PriorState
    code: str | None  # why it is not here
    job_state: JobState | None  # of its newest job; None: it has none

    @property
    def awaited(self) -> bool:
        """Whether waiting may still bring its results."""
        if self.state is PriorState.FETCHED:
            return self.job_state in (None, JobState.QUEUED, JobState.RUNNING)
        return self.state is not PriorState.FAILED

    @property
    def measured(self) -> bool:
        """Whether its results are here."""
        return self.job_state is JobState.DELIVERED


@dataclass(frozen=True)
class PriorFetch:
    """A claimed errand: fetch this study; also the proof of the lease."""

    study_uid: str
    owner: str
    attempt: int
