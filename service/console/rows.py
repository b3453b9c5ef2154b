"""A line of the list of studies: what stands in each column, and when it has to be drawn again."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jobs.job import JobState
from jobs.listing import ARRIVING
from report.rounding import present
from service.console.pace import span_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jobs.job import Job
    from jobs.listing import ListedStudy
    from jobs.study import Study
    from service.console.pace import Pace
    from service.naming import Named

_MARKS = {"up": "▲", "down": "▼"}


@dataclass(frozen=True)
class Change:
    """A number against the earlier study."""

    words: str
    """+12 %; empty without an earlier study."""
    mark: str
    """A triangle where it is beyond its limit."""


@dataclass(frozen=True)
class Row:
    """One study."""

    study: Study
    job: Job | None
    named: Named = field(repr=False)
    percent: int
    doing: str
    """What happens with it now, in words; empty where nothing does."""
    tdv_ml: str
    tdv_change: Change
    gadc_um2_s: str
    gadc_change: Change
    flags: tuple[str, ...]
    more_arrives: bool
    """Images that came after its last closing."""

    @property
    def key(self) -> str:
        """Name the row within a page, without the UID's dots."""
        return row_key(self.study.uid)

    @property
    def title(self) -> str:
        """Return what a person knows the study by."""
        return self.named.patient_name or f"Study …{self.study.uid[-8:]}"

    @property
    def state(self) -> str:
        """Return the state of the newest revision's job, or `arriving`."""
        return ARRIVING if self.job is None else self.job.state

    @property
    def busy(self) -> bool:
        """Tell whether it changes by itself."""
        return self.state in (ARRIVING, JobState.QUEUED, JobState.RUNNING)

    def seen_as(self) -> tuple[object, ...]:
        """Return what has to differ for the row to be drawn again; its age alone does not."""
        job, study = self.job, self.study
        work = job and (job.id, job.state, job.fence, job.failure, job.not_before)
        return study.revision, study.n_instances, self.more_arrives, work, self.percent, self.doing


@dataclass(frozen=True)
class Work:
    """What is known beside the list: how fast jobs go, which wait, where images still come."""

    pace: Pace
    waiting: Mapping[str, int]
    """Place in the queue by the job's id, from 1."""
    arriving: frozenset[str]
    """Study Instance UIDs."""


def row_key(study_uid: str) -> str:
    """Return the id of a study's row: hexadecimal, as style sheets and scripts can name it."""
    return "study-" + hashlib.sha256(study_uid.encode()).hexdigest()[:16]


def row_of(listed: ListedStudy, named: Named, work: Work) -> Row:
    """Return the line of one study."""
    summary = listed.summary or {}
    changes = summary.get("follow_up") or {}
    measured = summary.get("tdv_ml") is not None
    job = listed.job
    return Row(
        study=listed.study,
        job=job,
        named=named,
        percent=work.pace.percent(job) if job else 0,
        doing=_doing(listed, work),
        tdv_ml=present(summary["tdv_ml"], 1) if measured else "",
        tdv_change=_change(changes.get("tdv")),
        gadc_um2_s=present(summary.get("gadc_um2_s"), 0) if measured else "",
        gadc_change=_change(changes.get("gadc")),
        flags=_flags(summary, changes),
        more_arrives=job is not None and listed.study.uid in work.arriving,
    )


def _doing(listed: ListedStudy, work: Work) -> str:
    job, study = listed.job, listed.study
    if job is None:
        images = "1 image" if study.n_instances == 1 else f"{study.n_instances} images"
        return f"{images} in {study.n_series} series"
    if job.state is JobState.QUEUED:
        place = work.waiting.get(job.id)
        return f"number {place} in the queue" if place else "waits for its next try"
    if job.state is JobState.RUNNING:
        left_s = work.pace.left_s(job)
        left = "" if left_s is None else f", about {span_words(left_s)} left"
        return f"{job.stage or 'begins'} {work.pace.percent(job)} %{left}"
    return ""


def _change(change: Mapping[str, Any] | None) -> Change:
    percent = change.get("percent") if change else None
    if change is None or percent is None:
        return Change("", "")
    return Change(f"{percent:+.0f} %", _MARKS.get(str(change.get("call")), ""))


def _flags(summary: Mapping[str, Any], changes: Mapping[str, Any]) -> tuple[str, ...]:
    notes = summary.get("quality") or ()
    n_warnings = sum(note.get("severity") == "warning" for note in notes)
    told = {
        "beyond limit": bool(changes.get("beyond_limit")),
        "partial body": summary.get("coverage_status") == "partial",
        "1 warning": n_warnings == 1,
        f"{n_warnings} warnings": n_warnings > 1,
    }
    return tuple(words for words, true in told.items() if true)
