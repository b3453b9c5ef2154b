"""Rows of the tables as values."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

from jobs.job import EventKind, Failure, Job, JobEvent, JobState, Stage
from jobs.result import Delivery, DeliveryStatus, ResultFile
from jobs.study import Instance, Study

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import RowMapping

_T = TypeVar("_T")


def to_value(kind: type[_T], row: Mapping[Any, Any]) -> _T:
    """Read a row whose columns have the names and the types of a dataclass' fields."""
    return kind(**_named(kind, row))


def _named(kind: type[Any], row: Mapping[Any, Any]) -> dict[str, Any]:
    return {field.name: row[field.name] for field in fields(kind) if field.name in row}


def to_instance(row: RowMapping) -> Instance:
    """Read a row of `instances`."""
    return Instance(**_named(Instance, row))


def to_study(row: RowMapping) -> Study:
    """Read a row of `studies`."""
    return Study(**_named(Study, row))


def to_stage(name: str | None) -> Stage | None:
    """Read a stage that may be missing."""
    return None if name is None else Stage(name)


def to_failure(row: RowMapping) -> Failure | None:
    """Read the failure columns of a row of `jobs`."""
    if row["failure_code"] is None:
        return None
    return Failure(
        code=row["failure_code"],
        message=row["failure_message"],
        stage=to_stage(row["failure_stage"]),
        retryable=row["failure_retryable"],
    )


def from_failure(failure: Failure | None) -> dict[str, object]:
    """Return the failure columns of a row of `jobs`."""
    return {
        "failure_code": failure and failure.code,
        # PostgreSQL has no NUL in text, and a damaged header may have brought one
        "failure_message": failure and failure.message.replace("\x00", "\N{REPLACEMENT CHARACTER}"),
        "failure_stage": failure and failure.stage,
        "failure_retryable": failure and failure.retryable,
    }


def to_job(row: RowMapping) -> Job:
    """Read a row of `jobs`."""
    return Job(
        **_named(Job, row)
        | {
            "state": JobState(row["state"]),
            "stage": to_stage(row["stage"]),
            "progress": float(row["progress"]),  # SQLite's RETURNING gives 0 for 0.0
            "failure": to_failure(row),
        }
    )


def to_event(row: RowMapping) -> JobEvent:
    """Read a row of `job_events`."""
    kind, stage = EventKind(row["kind"]), to_stage(row["stage"])
    return JobEvent(**_named(JobEvent, row) | {"kind": kind, "stage": stage})


def to_result(row: RowMapping) -> ResultFile:
    """Read a row of `results`."""
    return ResultFile(**_named(ResultFile, row))


def to_delivery(row: RowMapping) -> Delivery:
    """Read a row of `deliveries` joined with its result."""
    return Delivery(**_named(Delivery, row) | {"status": DeliveryStatus(row["status"])})
