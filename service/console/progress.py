"""How far a study is: what has arrived, and the stages of its run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jobs.job import JobState, Stage
from report.rounding import present
from service.console.pace import span_words

if TYPE_CHECKING:
    from fastapi import Request

    from jobs.job import Job
    from service.api.site import Site
    from service.console.pace import Pace

ACTIVE = frozenset({JobState.QUEUED, JobState.RUNNING})
_WORDS = {
    Stage.READ: "reading the images",
    Stage.ASSEMBLE: "putting the stations together",
    Stage.FIT: "fitting the ADC",
    Stage.ANATOMY: "finding bones and organs",
    Stage.NORMALISE: "normalising the signal",
    Stage.DISEASE: "finding disease",
    Stage.FOCAL: "listing focal lesions",
    Stage.MEASURE: "measuring",
    Stage.COMPARE: "comparing with earlier studies",
    Stage.ENCODE: "writing results",
    Stage.DELIVER: "sending to the PACS",
}


@dataclass(frozen=True)
class StageRow:
    """One stage of a run: `state` is "done", "now" or "to do"."""

    name: str
    words: str
    state: str
    seconds: str
    percent: int


def progress_parts(request: Request, job: Job | None) -> dict[str, object]:
    """Return what the live part of the page shows; without a job, of a study that arrives."""
    site: Site = request.app.state.site
    if job is None:
        return {"live_job": None, "live": True}
    pace: Pace = request.app.state.pace.of(site.store)
    left_s = pace.left_s(job) if job.state is JobState.RUNNING else None
    return {
        "live_job": job,
        "live": job.state in ACTIVE,
        "stages": stage_rows(job, site.store.stage_seconds(job.id)),
        "percent": pace.percent(job),
        "left": span_words(left_s) if left_s else "",
    }


def stage_rows(job: Job, seconds: dict[str, float]) -> tuple[StageRow, ...]:
    """Return every stage in order, with its time where it is done."""
    return tuple(_row(job, stage, seconds.get(str(stage))) for stage in Stage)


def _row(job: Job, stage: Stage, seconds: float | None) -> StageRow:
    now = job.state is JobState.RUNNING and job.stage is stage
    state = "now" if now else "to do" if seconds is None else "done"
    percent = int(100 * job.progress) if now else 0
    return StageRow(str(stage), _WORDS[stage], state, present(seconds, 1), percent)
