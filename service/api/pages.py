"""The status page: plain HTML from the same record as the REST interface, no script."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.templating import Jinja2Templates

from jobs.job import Job, JobState, Stage
from report.rounding import present
from service.api.site import JobId, Site, TheSite

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

_TEMPLATES = Jinja2Templates(directory=Path(__file__).parent / "templates")
_STAGES = tuple(stage for stage in Stage if stage is not Stage.COMPARE)
_ACTIVE = frozenset({JobState.QUEUED, JobState.RUNNING})
_REFRESH_S = 2


@dataclass(frozen=True)
class Row:
    """One line of the list."""

    job: Job
    title: str
    percent: int
    tdv_ml: str
    gadc_um2_s: str
    n_lesions: str
    partial: bool
    """Not the whole body was in the images."""


@router.get("/jobs/{job_id}")
def job_page(request: Request, site: TheSite, job_id: JobId) -> HTMLResponse:
    """Show one job: its fate, its numbers, its pictures and why each series was used or not."""
    store = site.store
    job = store.job(job_id)
    results = store.results(job_id)
    context = {
        "site": site,
        "row": _row(site, job),
        "job": job,
        "summary": store.summary(job_id) or {},
        "stages": _stages(job, store.stage_seconds(job_id)),
        "results": results,
        "pictures": [result for result in results if result.kind == "mip"],
        "deliveries": store.deliveries(job_id),
        "newest": store.study(job.study_uid).revision,
        "can_retry": job.state in (JobState.FAILED, JobState.HELD),
        "refresh_s": _REFRESH_S if job.state in _ACTIVE else None,
    }
    return _TEMPLATES.TemplateResponse(request, "job.html", context)


@router.post("/jobs/{job_id}/retry")
def retry(site: TheSite, job_id: JobId) -> RedirectResponse:
    """Queue a failed or held job again and show it."""
    site.store.requeue(job_id)
    return RedirectResponse(f"/jobs/{job_id}", status_code=303)


def _row(site: Site, job: Job) -> Row:
    summary = site.store.summary(job.id) or {}
    measured = "tdv_ml" in summary
    return Row(
        job=job,
        title=f"Study …{job.study_uid[-8:]}",
        percent=_percent(job),
        tdv_ml=present(summary["tdv_ml"], 1) if measured else "",
        gadc_um2_s=present(summary["gadc_um2_s"], 0) if measured else "",
        n_lesions=str(summary["n_lesions"]) if measured else "",
        partial=summary.get("coverage_status") == "partial",
    )


def _percent(job: Job) -> int:
    """Return how far along the path the job is; every stage counts the same."""
    if job.state is JobState.DELIVERED:
        return 100
    if job.stage not in _STAGES:
        return 0
    done = _STAGES.index(job.stage) + job.progress
    return int(100 * done / len(_STAGES))


def _stages(job: Job, seconds: dict[str, float]) -> list[dict[str, Any]]:
    rows = []
    for stage in _STAGES:
        current = job.state is JobState.RUNNING and job.stage is stage
        took = seconds.get(str(stage))
        state = "now" if current else "done" if took is not None else "to do"
        rows.append({"name": str(stage), "state": state, "seconds": present(took, 1)})
    return rows


def _moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S UTC")


_TEMPLATES.env.filters["moment"] = _moment
_TEMPLATES.env.filters["present"] = present
