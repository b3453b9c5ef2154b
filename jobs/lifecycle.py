"""Part of the store: how a job ends, waits, or begins again."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, select, tuple_, update

from jobs.claims import move_held
from jobs.delivery_rows import send_once_more
from jobs.delivery_tables import deliveries
from jobs.engine import Records, reads, writes
from jobs.errors import IllegalMove, UnknownJob
from jobs.events import write_event
from jobs.job import EventKind, Failure, Job, JobState, check_move
from jobs.result import DeliveryStatus
from jobs.rows import from_failure, to_job
from jobs.schema import jobs as jobs_
from jobs.schema import results, studies

if TYPE_CHECKING:
    from jobs.engine import Transaction


class JobLifecycle(Records):
    """Moves between states, and questions about them."""

    @writes
    def deliver(self, tx: Transaction, job: Job) -> None:
        """Say that every result reached every destination.

        Raises:
            LeaseLost: the job is no longer ours.
            IllegalMove: it is not running.

        """
        move_held(tx, job, JobState.DELIVERED, **from_failure(None))
        write_event(tx, job.id, EventKind.DELIVERED)

    @writes
    def reject(self, tx: Transaction, job: Job, failure: Failure) -> None:
        """Say that these images cannot be measured, and why. Raises as `deliver`."""
        _end(tx, job, JobState.REJECTED, failure)

    @writes
    def fail(self, tx: Transaction, job: Job, failure: Failure) -> None:
        """Give up; a person may queue it again. Raises as `deliver`."""
        _end(tx, job, JobState.FAILED, failure)

    @writes
    def hold(self, tx: Transaction, job: Job, failure: Failure) -> None:
        """Wait for a person's decision. Raises as `deliver`."""
        _end(tx, job, JobState.HELD, failure)

    @writes
    def retry(
        self,
        tx: Transaction,
        job: Job,
        failure: Failure,
        delay_s: float,
        *,
        spend_attempt: bool = True,
    ) -> JobState:
        """Queue again for `delay_s` seconds from now, or fail when the attempts are used up.

        Without `spend_attempt` (a collaborator is known to be away) the attempt does not count.
        Returns the state that the job has now. Raises as `deliver`.
        """
        if spend_attempt and job.attempt >= job.max_attempts:
            _end(tx, job, JobState.FAILED, failure)
            return JobState.FAILED
        not_before = tx.now + timedelta(seconds=delay_s)
        attempt = job.attempt - (not spend_attempt)
        waits = {"not_before": not_before, "attempt": attempt}
        move_held(tx, job, JobState.QUEUED, **waits, **from_failure(failure))
        _write_failure(tx, job, EventKind.RETRY, failure, delay_s=delay_s)
        return JobState.QUEUED

    @writes
    def hand_back(self, tx: Transaction, job: Job) -> None:
        """Queue again at once, the attempt not counted: the worker stops. Raises as `deliver`."""
        move_held(tx, job, JobState.QUEUED, attempt=job.attempt - 1, lease_until=None)
        write_event(tx, job.id, EventKind.HANDED_BACK, owner=job.lease_owner)

    @writes
    def requeue(self, tx: Transaction, job_id: str) -> Job:
        """Queue a failed or held job again with all its attempts: a person's decision.

        Raises:
            UnknownJob: there is no such job.
            IllegalMove: it is in another state, or a newer revision of the study replaced it.

        """
        job = find_job(tx, job_id)
        check_move(job.state, JobState.QUEUED)
        if job.state is JobState.RUNNING:
            raise IllegalMove(f"job {job_id} is running: only its worker can give it back")
        if job.state is JobState.DELIVERED:
            raise IllegalMove(f"job {job_id} is delivered: its results can be sent again")
        refuse_replaced(tx, job)
        statement = (
            update(jobs_)
            .where(jobs_.c.id == job_id, jobs_.c.fence == job.fence, jobs_.c.state == job.state)
            .values(state=JobState.QUEUED, attempt=0, fence=job.fence + 1, updated_at=tx.now)
            .values(stage=None, progress=0.0, not_before=None, lease_until=None)
            .values(from_failure(None))
            .returning(jobs_)
        )
        row = tx.connection.execute(statement).mappings().one_or_none()
        if row is None:
            raise IllegalMove(f"job {job_id} changed meanwhile: look at it again")
        refused = deliveries.c.status == DeliveryStatus.REFUSED
        mine = deliveries.c.result_id.in_(select(results.c.id).where(results.c.job_id == job_id))
        send_once_more(tx, mine & refused)
        write_event(tx, job_id, EventKind.REQUEUED)
        return to_job(row)

    @reads
    def job(self, tx: Transaction, job_id: str) -> Job:
        """Return one job.

        Raises:
            UnknownJob: there is no such job.

        """
        return find_job(tx, job_id)

    @reads
    def jobs(
        self,
        tx: Transaction,
        state: JobState | None = None,
        limit: int = 100,
        study_uid: str | None = None,
        after: str | None = None,
    ) -> tuple[Job, ...]:
        """Return jobs, the newest first; of one state or one study if asked.

        `after` is the id of the last job of the page before; after an unknown one comes nothing.
        """
        place = tuple_(jobs_.c.created_at, jobs_.c.id)
        query = select(jobs_).order_by(jobs_.c.created_at.desc(), jobs_.c.id.desc()).limit(limit)
        if after is not None:
            mark = select(jobs_.c.created_at, jobs_.c.id).where(jobs_.c.id == after)
            query = query.where(place < mark.scalar_subquery())
        if state is not None:
            query = query.where(jobs_.c.state == state)
        if study_uid is not None:
            query = query.where(jobs_.c.study_uid == study_uid)
        return tuple(to_job(row) for row in tx.connection.execute(query).mappings())

    @reads
    def counts(self, tx: Transaction) -> dict[JobState, int]:
        """Return how many jobs are in each state; every state is there."""
        query = select(jobs_.c.state, func.count()).group_by(jobs_.c.state)
        found = {JobState(state): n for state, n in tx.connection.execute(query)}
        return {state: found.get(state, 0) for state in JobState}

    @reads
    def oldest_queued_age_s(self, tx: Transaction) -> float | None:
        """Return for how many seconds the oldest queued job exists; None if none is queued."""
        query = select(func.min(jobs_.c.created_at)).where(jobs_.c.state == JobState.QUEUED)
        oldest = tx.connection.execute(query).scalar_one()
        return None if oldest is None else float((tx.now - oldest).total_seconds())


def find_job(tx: Transaction, job_id: str) -> Job:
    """Return one job.

    Raises:
        UnknownJob: there is no such job.

    """
    query = select(jobs_).where(jobs_.c.id == job_id)
    row = tx.connection.execute(query).mappings().one_or_none()
    if row is None:
        raise UnknownJob(f"there is no job {job_id}")
    return to_job(row)


def refuse_replaced(tx: Transaction, job: Job) -> None:
    """Raise `IllegalMove` for a job whose study has a newer revision."""
    newest = select(studies.c.revision).where(studies.c.uid == job.study_uid)
    if tx.connection.execute(newest).scalar_one() > job.revision:
        raise IllegalMove(f"job {job.id} was replaced by a newer revision of its study")


def _end(tx: Transaction, job: Job, target: JobState, failure: Failure) -> None:
    move_held(tx, job, target, **from_failure(failure))
    _write_failure(tx, job, EventKind(target.value), failure)


def _write_failure(
    tx: Transaction, job: Job, kind: EventKind, failure: Failure, **more: object
) -> None:
    told = {"code": failure.code, "message": failure.message, "retryable": failure.retryable}
    write_event(tx, job.id, kind, failure.stage, **told, **more)
