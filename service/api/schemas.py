"""What goes over the wire; never the domain's own types, so that they may change."""

from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, JsonValue, RootModel

from jobs.job import Failure, Job, JobEvent
from jobs.result import Delivery, ResultFile
from jobs.study import Study

_JOB: dict[str, JsonValue] = {
    "id": "4fd0a1c2e3b4958677869504a3b2c1d0",
    "study_uid": "2.25.100000000000000000000000000000000001",
    "revision": 1,
    "state": "running",
    "stage": "anatomy",
    "progress": 0.4,
    "attempt": 1,
    "max_attempts": 3,
    "created_at": "2026-11-22T01:02:03Z",
    "updated_at": "2026-11-22T01:02:43Z",
    "not_before": None,
    "failure": None,
    "superseded_by": None,
}


class FailureOut(BaseModel):
    """Why a job did not go on."""

    code: str
    message: str
    stage: str | None
    retryable: bool

    @classmethod
    def of(cls, failure: Failure | None) -> Self | None:
        """Copy the domain's value."""
        if failure is None:
            return None
        stage = None if failure.stage is None else str(failure.stage)
        return cls(
            code=failure.code,
            message=failure.message,
            stage=stage,
            retryable=bool(failure.retryable),
        )


class JobOut(BaseModel):
    """One revision of a study on its way to results."""

    model_config = ConfigDict(json_schema_extra={"examples": [_JOB]})

    id: str
    study_uid: str
    revision: int
    state: str
    stage: str | None
    progress: float
    attempt: int
    max_attempts: int
    created_at: datetime
    updated_at: datetime
    not_before: datetime | None
    failure: FailureOut | None
    superseded_by: int | None
    """The study's newest revision where that is not this one: its results replace these."""

    @classmethod
    def of(cls, job: Job, newest_revision: int) -> Self:
        """Copy the domain's value; who holds the lease stays inside."""
        return cls(
            id=job.id,
            study_uid=job.study_uid,
            revision=job.revision,
            state=str(job.state),
            stage=None if job.stage is None else str(job.stage),
            progress=job.progress,
            attempt=job.attempt,
            max_attempts=job.max_attempts,
            created_at=job.created_at,
            updated_at=job.updated_at,
            not_before=job.not_before,
            failure=FailureOut.of(job.failure),
            superseded_by=newest_revision if newest_revision > job.revision else None,
        )


class StudyOut(BaseModel):
    """What is known of a study."""

    uid: str
    revision: int
    n_instances: int
    n_series: int
    first_received_at: datetime
    last_received_at: datetime
    closed_at: datetime | None

    @classmethod
    def of(cls, study: Study) -> Self:
        """Copy the domain's value."""
        return cls(
            uid=study.uid,
            revision=study.revision,
            n_instances=study.n_instances,
            n_series=study.n_series,
            first_received_at=study.first_received_at,
            last_received_at=study.last_received_at,
            closed_at=study.closed_at,
        )


class StudyDetail(StudyOut):
    """A study with its jobs, the newest first."""

    jobs: list[JobOut]


class JobPage(BaseModel):
    """Part of the list of jobs."""

    items: list[JobOut]
    next: str | None
    """What `cursor` is for the next page; null at the end."""


class EventOut(BaseModel):
    """One line of a job's history."""

    id: int
    job_id: str
    at: datetime
    kind: str
    stage: str | None
    data: dict[str, Any]

    @classmethod
    def of(cls, event: JobEvent) -> Self:
        """Copy the domain's value."""
        return cls(
            id=event.id,
            job_id=event.job_id,
            at=event.at,
            kind=str(event.kind),
            stage=None if event.stage is None else str(event.stage),
            data=dict(event.data),
        )


class EventPage(BaseModel):
    """Part of a job's history."""

    items: list[EventOut]
    next: str | None
    """What `after` is for the next page; null at the end of what has happened."""


class ResultOut(BaseModel):
    """One file that a job made, and where it is downloaded."""

    name: str
    kind: str
    media_type: str
    sha256: str
    sop_class_uid: str | None
    sop_instance_uid: str | None
    href: str

    @classmethod
    def of(cls, job_id: str, result: ResultFile) -> Self:
        """Copy the domain's value; where the file lies stays inside."""
        return cls(
            name=result.name,
            kind=result.kind,
            media_type=result.media_type,
            sha256=result.sha256,
            sop_class_uid=result.sop_class_uid,
            sop_instance_uid=result.sop_instance_uid,
            href=f"/api/v1/jobs/{job_id}/results/{result.name}",
        )


class DeliveryOut(BaseModel):
    """One object on its way to one destination."""

    name: str
    destination: str
    status: str
    """queued, sent (its proof is awaited), committed, found, sent_only or refused."""
    attempts: int
    last_status: int | None
    code: str | None
    """Why it waits or was refused."""
    sent_at: datetime | None
    next_try_at: datetime | None

    @classmethod
    def of(cls, delivery: Delivery) -> Self:
        """Copy the domain's value."""
        return cls(
            name=delivery.name,
            destination=delivery.destination,
            status=str(delivery.status),
            attempts=delivery.attempts,
            last_status=delivery.last_status,
            code=delivery.code,
            sent_at=delivery.sent_at,
            next_try_at=delivery.next_try_at,
        )


class JobDetail(JobOut):
    """A job with everything that is recorded about it."""

    stage_seconds: dict[str, float]
    summary: dict[str, Any] | None
    results: list[ResultOut]
    deliveries: list[DeliveryOut]


class ResultList(RootModel[list[ResultOut]]):
    """The files of a job, in the order in which they were kept."""


class RunOut(BaseModel):
    """The newest results of a study: the job that made them, its numbers and its files."""

    job: JobOut
    summary: dict[str, Any] | None
    files: list[ResultOut]
