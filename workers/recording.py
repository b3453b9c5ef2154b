"""How far a run is: the seam between the pipeline and whoever wants to know."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Protocol

from workers.summary import series_summary
from workers.vitals import StageBegun, StageDone, silence

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from dicom_objects.reading.records import SeriesRecord
    from jobs.job import Job, Stage
    from jobs.store import JobStore
    from workers.vitals import Tell

_REPORT_EVERY_S = 0.5


class Recorder(Protocol):
    """Told by the pipeline which stage it is in and how far."""

    seconds: dict[str, float]
    """Duration of each finished stage, in order."""

    def stage(self, stage: Stage) -> AbstractContextManager[None]:
        """Enter a stage; leave it at the end of the block. It is left open by an error."""
        ...

    def fraction(self, done: float) -> None:
        """Say how much of the stage is done, 0 to 1."""
        ...

    def saw(self, series: Sequence[SeriesRecord]) -> None:
        """Say what was found in the study, before anything else can go wrong."""
        ...


class QuietRecorder:
    """Keeps the times and says nothing; `console` and store recorders extend it."""

    def __init__(self) -> None:
        """Start with no stage."""
        self.seconds: dict[str, float] = {}
        self.current: Stage | None = None
        self.series: tuple[SeriesRecord, ...] = ()

    @contextlib.contextmanager
    def stage(self, stage: Stage) -> Iterator[None]:
        """Time one stage."""
        self.current = stage
        self.entered(stage)
        start = time.monotonic()
        yield
        self.seconds[str(stage)] = time.monotonic() - start
        self.left(stage, self.seconds[str(stage)])

    def fraction(self, done: float) -> None:
        """Ignore it."""

    def saw(self, series: Sequence[SeriesRecord]) -> None:
        """Keep the records."""
        self.series = tuple(series)

    def entered(self, stage: Stage) -> None:
        """Do nothing."""

    def left(self, stage: Stage, seconds: float) -> None:
        """Do nothing."""


class StoreRecorder(QuietRecorder):
    """Writes stages, their times and progress to the store, under the job's fence."""

    def __init__(self, store: JobStore, job: Job, tell: Tell = silence) -> None:
        """Record for a claimed job; every write raises LeaseLost once it is no longer ours."""
        super().__init__()
        self._tell = tell
        self._store = store
        self._job = job
        self._reported_at = 0.0

    def entered(self, stage: Stage) -> None:
        """Store that the stage began."""
        self._store.enter_stage(self._job, stage)
        self._tell(StageBegun(str(stage), time.time()))

    def left(self, stage: Stage, seconds: float) -> None:
        """Store how long the stage took."""
        self._store.leave_stage(self._job, stage, seconds)
        self._tell(StageDone(str(stage), seconds, time.time()))

    def saw(self, series: Sequence[SeriesRecord]) -> None:
        """Store the records as the summary, so that a rejected study shows them too."""
        super().saw(series)
        self._store.keep_summary(self._job, series_summary(series))

    def fraction(self, done: float) -> None:
        """Store the progress, at most twice a second: each write is a commit."""
        now = time.monotonic()
        if now - self._reported_at >= _REPORT_EVERY_S:
            self._reported_at = now
            self._store.progress(self._job, done)
