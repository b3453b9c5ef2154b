"""What a job is, which states it may be in, and which moves between them are legal."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

from jobs.errors import IllegalMove

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class JobState(StrEnum):
    """What may happen next with a job; its string stands on the wire and in the database."""

    QUEUED = "queued"  # waits for a worker, or for `not_before`
    RUNNING = "running"  # a worker holds the lease
    DELIVERED = "delivered"  # every result reached every destination
    REJECTED = "rejected"  # these images cannot be measured, or newer ones replaced them
    FAILED = "failed"  # attempts used up, or a bug: a person may queue it again
    HELD = "held"  # waits for a person's decision


class Priority(IntEnum):
    """Which of two waiting jobs runs first; the number stands in the database."""

    URGENT = 10
    ROUTINE = 0
    REPROCESS = -10  # measured again in bulk: when nothing else waits


def band_of(priority: int) -> Priority:
    """Return which of the usual priorities a job counts to; an earlier study stands between two."""
    if priority > Priority.ROUTINE:
        return Priority.URGENT
    return Priority.ROUTINE if priority == Priority.ROUTINE else Priority.REPROCESS


class Stage(StrEnum):
    """How far a running job is: for people; it decides nothing."""

    READ = "read"
    ASSEMBLE = "assemble"
    FIT = "fit"
    ANATOMY = "anatomy"
    NORMALISE = "normalise"
    DISEASE = "disease"
    FOCAL = "focal"
    MEASURE = "measure"
    COMPARE = "compare"
    ENCODE = "encode"
    DELIVER = "deliver"


# The law: a move that is not here is refused with IllegalMove. docs/architecture.md draws it.
NEXT: dict[JobState, frozenset[JobState]] = {
    JobState.QUEUED: frozenset({JobState.RUNNING, JobState.REJECTED}),
    JobState.RUNNING: frozenset(
        {
            JobState.QUEUED,  # retry, graceful stop, lease ran out
            JobState.DELIVERED,
            JobState.REJECTED,
            JobState.FAILED,
            JobState.HELD,
        }
    ),
    JobState.DELIVERED: frozenset({JobState.QUEUED}),  # its results are to be sent once more
    JobState.REJECTED: frozenset(),
    JobState.FAILED: frozenset({JobState.QUEUED}),
    JobState.HELD: frozenset({JobState.QUEUED, JobState.REJECTED}),
}


def check_move(current: JobState, target: JobState) -> None:
    """Refuse a move that `NEXT` does not have.

    Raises:
        IllegalMove: naming both states and what would be legal.

    """
    if target not in NEXT[current]:
        legal = ", ".join(sorted(NEXT[current])) or "nothing"
        raise IllegalMove(f"a {current} job cannot become {target}; from here only: {legal}")


@dataclass(frozen=True)
class Failure:
    """Why a job did not go on."""

    code: str  # stable, for programs and search
    message: str  # one sentence for a person; never holds patient data
    stage: Stage | None = None  # where it happened
    retryable: bool = False  # the same input may succeed later


@dataclass(frozen=True)
class Job:
    """One revision of a study on its way to results; also the worker's proof of its lease."""

    id: str  # 32 hexadecimal digits
    study_uid: str  # Study Instance UID
    revision: int  # 1 for the first closing of the study
    input_digest: str  # of the images it measures, and of its turn where they are measured again
    state: JobState
    stage: Stage | None  # the last stage entered in this attempt
    progress: float  # of that stage, 0 to 1
    attempt: int  # claims that count; 0 before the first
    max_attempts: int  # at this many attempts a job fails for good
    fence: int  # grows whenever the job changes hands; every write of a worker carries it
    lease_owner: str | None  # worker that holds or last held it
    lease_until: datetime | None  # without renewal the job is free again then (UTC)
    not_before: datetime | None  # a retry waits until then (UTC)
    created_at: datetime  # UTC
    updated_at: datetime  # UTC
    failure: Failure | None  # why it ended, or why the last attempt did
    priority: int  # higher runs first; `Priority` names the usual ones

    def log_context(self) -> dict[str, str | int]:
        """Return what a log line may say about the job: nothing that identifies a patient."""
        return {"job_id": self.id, "revision": self.revision, "attempt": self.attempt}


class EventKind(StrEnum):
    """What happened to a job."""

    OPENED = "opened"
    CLAIMED = "claimed"
    STAGE_STARTED = "stage_started"
    PROGRESS = "progress"
    STAGE_FINISHED = "stage_finished"
    RESULTS_KEPT = "results_kept"
    SENT = "sent"
    NOT_SENT = "not_sent"
    STORED = "stored"
    LEASE_EXPIRED = "lease_expired"
    RETRY = "retry"
    HANDED_BACK = "handed_back"
    REQUEUED = "requeued"
    SEND_AGAIN = "send_again"
    RELEASED = "released"
    PRIOR_MEASURED = "prior_measured"
    DELIVERED = "delivered"
    REJECTED = "rejected"
    FAILED = "failed"
    HELD = "held"


@dataclass(frozen=True)
class JobEvent:
    """One line of a job's history; never changed once written."""

    id: int  # grows with time within a job: the event stream's Last-Event-ID
    job_id: str
    at: datetime  # UTC
    kind: EventKind
    stage: Stage | None
    data: Mapping[str, object]  # seconds, fraction, code, message, worker ...
