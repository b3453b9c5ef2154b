"""Part of the store: who works on a job, for how long, and what only the holder may write."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import and_, or_, select, update

from jobs.engine import Records, reads, writes
from jobs.errors import IllegalMove, JobsError, LeaseLost, UnknownJob
from jobs.events import write_event
from jobs.fault_points import fault
from jobs.job import EventKind, Failure, Job, JobState, Stage, check_move
from jobs.rows import from_failure, to_job
from jobs.schema import jobs, stage_times

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from jobs.engine import Transaction

_USED_UP = Failure(
    "ATTEMPTS_USED",
    "every attempt ended without a word from its worker (killed, out of memory, or hung)",
)
_ORDER = (jobs.c.priority.desc(), jobs.c.created_at, jobs.c.id)


class JobClaims(Records):
    """Leases and the progress of their holders."""

    @writes
    def claim(
        self, tx: Transaction, owner: str, lease_s: float, job_id: str | None = None
    ) -> Job | None:
        """Take the next due job for `lease_s` seconds; None if nothing is due.

        With `job_id` that job or none. Jobs whose lease ran out are queued again first, or failed
        with ATTEMPTS_USED. The order is priority, then age. Every claim raises the fence and counts
        as an attempt.
        """
        _end_expired_leases(tx)
        due = waits(tx) if job_id is None else and_(waits(tx), jobs.c.id == job_id)
        # SKIP LOCKED: in PostgreSQL the next worker takes the next job and does not wait for this.
        first = select(jobs.c.id).where(due).order_by(*_ORDER).limit(1)
        statement = (
            update(jobs)
            .where(jobs.c.id == first.with_for_update(skip_locked=True).scalar_subquery(), due)
            .values(state=JobState.RUNNING, attempt=jobs.c.attempt + 1, fence=jobs.c.fence + 1)
            .values(lease_owner=owner, lease_until=tx.now + timedelta(seconds=lease_s))
            .values(stage=None, progress=0.0, not_before=None, updated_at=tx.now)
            .returning(jobs)
        )
        row = tx.connection.execute(statement).mappings().one_or_none()
        if row is None:
            return None
        job = to_job(row)
        write_event(tx, job.id, EventKind.CLAIMED, owner=owner, attempt=job.attempt)
        fault("claim.taken")
        return job

    @reads
    def due(self, tx: Transaction, limit: int = 1000) -> tuple[Job, ...]:
        """Return the jobs that a claim could take now, in its order; nothing is changed.

        A job whose lease ran out and whose attempts are used up is among them: a claim ends it.
        """
        query = (
            select(jobs).where(or_(waits(tx), left_by_worker(tx))).order_by(*_ORDER).limit(limit)
        )
        return tuple(to_job(row) for row in tx.connection.execute(query).mappings())

    @reads
    def require_held(self, tx: Transaction, job: Job) -> None:
        """Make sure that the job is still ours, before something that cannot be taken back.

        Raises:
            LeaseLost: the job is no longer ours.

        """
        query = select(jobs.c.id).where(held_by(job))
        if tx.connection.execute(query).one_or_none() is None:
            raise _refusal(tx, job)

    @writes
    def renew(self, tx: Transaction, job: Job, lease_s: float) -> bool:
        """Prolong the lease to `lease_s` seconds from now; False if the job is no longer ours."""
        until = tx.now + timedelta(seconds=lease_s)
        statement = update(jobs).where(held_by(job)).values(lease_until=until)
        return tx.connection.execute(statement).rowcount == 1

    @writes
    def enter_stage(self, tx: Transaction, job: Job, stage: Stage) -> None:
        """Say that work on a stage begins.

        Raises:
            LeaseLost: the job is no longer ours.

        """
        write_held(tx, job, stage=stage, progress=0.0)
        write_event(tx, job.id, EventKind.STAGE_STARTED, stage)

    @writes
    def leave_stage(self, tx: Transaction, job: Job, stage: Stage, seconds: float) -> None:
        """Say that a stage is done and how long it took.

        Raises:
            LeaseLost: the job is no longer ours.

        """
        write_held(tx, job, progress=1.0)
        row = {"seconds": seconds, "at": tx.now}
        statement = tx.insert(stage_times).values(job_id=job.id, stage=stage, **row)
        key = [stage_times.c.job_id, stage_times.c.stage]
        tx.connection.execute(statement.on_conflict_do_update(index_elements=key, set_=row))
        write_event(tx, job.id, EventKind.STAGE_FINISHED, stage, seconds=seconds)

    @writes
    def progress(self, tx: Transaction, job: Job, fraction: float) -> None:
        """Say how much of the stage is done, 0 to 1; an event is written at each new percent.

        Raises:
            LeaseLost: the job is no longer ours.

        """
        query = select(jobs.c.stage, jobs.c.progress).where(jobs.c.id == job.id).with_for_update()
        before = tx.connection.execute(query).one_or_none()
        write_held(tx, job, progress=fraction)
        if before is not None and round(before.progress * 100) != round(fraction * 100):
            stage = None if before.stage is None else Stage(before.stage)
            write_event(tx, job.id, EventKind.PROGRESS, stage, fraction=fraction)


def waits(tx: Transaction) -> ColumnElement[bool]:
    """Return the condition under which a queued job may start."""
    return and_(
        jobs.c.state == JobState.QUEUED,
        or_(jobs.c.not_before.is_(None), jobs.c.not_before <= tx.now),
    )


def left_by_worker(tx: Transaction) -> ColumnElement[bool]:
    """Return the condition under which a running job has lost its worker."""
    return and_(jobs.c.state == JobState.RUNNING, jobs.c.lease_until < tx.now)


def held_by(job: Job) -> ColumnElement[bool]:
    """Return the condition under which the holder of `job` may write: same fence, running."""
    return and_(jobs.c.id == job.id, jobs.c.fence == job.fence, jobs.c.state == JobState.RUNNING)


def write_held(tx: Transaction, job: Job, **values: object) -> None:
    """Change the job's row if it is still ours; the lock on the row lasts until the commit.

    Raises:
        LeaseLost: the job is no longer ours.

    """
    statement = update(jobs).where(held_by(job)).values(updated_at=tx.now, **values)
    if tx.connection.execute(statement).rowcount != 1:
        raise _refusal(tx, job)


def move_held(tx: Transaction, job: Job, target: JobState, **values: object) -> None:
    """Move a job that is ours to another state.

    Raises:
        LeaseLost: the job is no longer ours.
        IllegalMove: it is not running any more by our own doing, or never was.

    """
    check_move(JobState.RUNNING, target)
    statement = update(jobs).where(held_by(job)).values(updated_at=tx.now, state=target, **values)
    if tx.connection.execute(statement).rowcount != 1:
        raise _refusal(tx, job, target)


def _refusal(tx: Transaction, job: Job, target: JobState | None = None) -> JobsError:
    """Say why a write of the holder found no row."""
    query = select(jobs.c.state, jobs.c.fence).where(jobs.c.id == job.id)
    now = tx.connection.execute(query).one_or_none()
    if now is None:
        return UnknownJob(f"there is no job {job.id}")
    if target is not None and now.fence == job.fence:
        return IllegalMove(f"job {job.id} is {now.state}, not running: it cannot become {target}")
    return LeaseLost(
        f"job {job.id} is {now.state} with fence {now.fence}, ours was {job.fence}: stop the work"
    )


def _end_expired_leases(tx: Transaction) -> None:
    """Queue again what a dead worker left, or fail it when its attempts are used up."""
    expired = left_by_worker(tx)
    ours = select(jobs.c.id).where(expired).with_for_update(skip_locked=True)
    # A new fence, so that the worker that comes back late holds nothing, claimed again or not.
    statement = (
        update(jobs)
        .where(jobs.c.id.in_(ours), expired)
        .values(fence=jobs.c.fence + 1, updated_at=tx.now)
    )
    again = statement.where(jobs.c.attempt < jobs.c.max_attempts).values(state=JobState.QUEUED)
    for row in tx.connection.execute(again.returning(jobs)).mappings().all():
        owner, attempt = row["lease_owner"], row["attempt"]
        write_event(tx, row["id"], EventKind.LEASE_EXPIRED, owner=owner, attempt=attempt)
    failed = statement.values(state=JobState.FAILED).values(from_failure(_USED_UP))
    failed = failed.values(failure_stage=jobs.c.stage)
    for row in tx.connection.execute(failed.returning(jobs)).mappings().all():
        stage = None if row["stage"] is None else Stage(row["stage"])
        write_event(
            tx, row["id"], EventKind.FAILED, stage, code=_USED_UP.code, message=_USED_UP.message
        )
