"""What a page says of a run that went wrong or gave no numbers: where, why, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jobs.identity import RELEASABLE
from jobs.job import JobState
from jobs.result import DeliveryStatus
from service.console.earlier_studies import prior_parts
from service.console.progress import ACTIVE, stage_rows
from workers.advice import advice_on

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jobs.job import Job
    from service.api.site import Site

_AGAIN = frozenset({JobState.FAILED, JobState.HELD})
_WAITS = frozenset({JobState.QUEUED, JobState.HELD})


def unmeasured_parts(site: Site, job: Job, document_gone: str) -> dict[str, object]:
    """Return failure, advice, series and stages of a run; also of one that has numbers."""
    failure = job.failure if job.state is not JobState.DELIVERED else None
    summary: Mapping[str, Any] = site.store.summary(job.id) or {}
    newest = job.revision == site.store.study(job.study_uid).revision
    was_sent = any(row.status != DeliveryStatus.QUEUED for row in site.store.deliveries(job.id))
    return {
        "failure": failure,
        "advice": advice_on(failure.code) if failure else "",
        "document_gone": document_gone,
        "series": [_series(one) for one in summary.get("series") or ()],
        "finished_stages": stage_rows(job, site.store.stage_seconds(job.id)),
        "can_release": newest and failure is not None and failure.code in RELEASABLE,
        "can_retry": newest and job.state in _AGAIN,
        "can_cancel": newest and job.state in _WAITS and not was_sent,
        "can_process_again": newest and job.state not in ACTIVE,
        "can_send_again": newest and job.state is JobState.DELIVERED and bool(site.destinations),
        "trace_id": job.id,
        **prior_parts(site, job),
    }


def _series(record: Mapping[str, Any]) -> dict[str, object]:
    """Return one row of the series table."""
    volumes = record.get("volumes") or ()
    return {
        "number": record.get("series_number"),
        "content": record.get("content") or record.get("role") or "",
        "volumes": [_volume(volume) for volume in volumes]
        or [f"{record.get('n_instances', 0)} images"],
        "geometry": record.get("geometry") or "",
        "used": bool(record.get("used")),
        "reason": record.get("reason") or "",
        "code": record.get("code") or "",
        "notes": list(record.get("notes") or ()),
        "b_source": record.get("b_source") or "",
    }


def _volume(volume: Mapping[str, Any]) -> str:
    kind = {"direction": " direction", "vendor-trace": " trace"}.get(volume["kind"], "")
    return f"{volume['count']} x b {volume['b']:g}{kind}"
