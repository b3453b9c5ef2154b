"""Part of the store: what a person decides about a job that no worker holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, update

from jobs.delivery_rows import send_once_more
from jobs.delivery_tables import deliveries
from jobs.engine import Records, writes
from jobs.errors import IllegalMove
from jobs.events import write_event
from jobs.job import EventKind, Failure, JobState, check_move
from jobs.lifecycle import find_job, refuse_replaced
from jobs.rows import from_failure, to_job
from jobs.schema import job_events, results
from jobs.schema import jobs as jobs_

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jobs.engine import Transaction
    from jobs.job import Job

_CANCELLED = Failure("CANCELLED", "a person ended this job; the study can be measured again")


class JobDecisions(Records):
    """Ending a job that waits, and sending once more what was delivered."""

    @writes
    def cancel(self, tx: Transaction, job_id: str) -> Job:
        """End a queued or held job: rejected, with the code CANCELLED.

        Raises:
            UnknownJob: there is no such job.
            IllegalMove: it is in another state, or its results were delivered before.

        """
        job = find_job(tx, job_id)
        check_move(job.state, JobState.REJECTED)
        if job.state is JobState.RUNNING:
            raise IllegalMove(f"job {job_id} is running: it can be cancelled while it waits")
        ever = (job_events.c.job_id == job_id) & (job_events.c.kind == EventKind.DELIVERED)
        if tx.connection.execute(select(job_events.c.id).where(ever).limit(1)).one_or_none():
            raise IllegalMove(f"job {job_id} was delivered and is sent again: it stays valid")
        ended = _moved(tx, job, {"state": JobState.REJECTED, **from_failure(_CANCELLED)})
        told = {"code": _CANCELLED.code, "message": _CANCELLED.message, "retryable": False}
        write_event(tx, job_id, EventKind.REJECTED, None, **told)
        return ended

    @writes
    def send_again(self, tx: Transaction, job_id: str, destinations: Sequence[str]) -> Job:
        """Queue a delivered job so that these destinations get its objects once more.

        Nothing is measured or written anew: a worker finds the results and sends the bytes that
        were kept. A destination that is new since gets them too.

        Raises:
            UnknownJob: there is no such job.
            IllegalMove: it was not delivered, a newer revision replaced it, or it has no object.

        """
        job = find_job(tx, job_id)
        if job.state is not JobState.DELIVERED:
            raise IllegalMove(f"job {job_id} is {job.state}: only what was delivered is sent again")
        refuse_replaced(tx, job)
        objects = select(results.c.id).where(
            results.c.job_id == job_id, results.c.sop_instance_uid.is_not(None)
        )
        if tx.connection.execute(objects.limit(1)).one_or_none() is None:
            raise IllegalMove(f"job {job_id} made no object that can be sent")
        again = {"attempt": 0, "stage": None, "progress": 0.0, "lease_until": None}
        queued = _moved(tx, job, {"state": JobState.QUEUED, "not_before": None, **again})
        mine = deliveries.c.result_id.in_(objects) & deliveries.c.destination.in_(destinations)
        send_once_more(tx, mine)
        write_event(tx, job_id, EventKind.SEND_AGAIN, destinations=list(destinations))
        return queued


def _moved(tx: Transaction, job: Job, values: dict[str, object]) -> Job:
    """Change a job as it was read; a new fence, so that nobody who held it writes to it."""
    same = (jobs_.c.id == job.id) & (jobs_.c.fence == job.fence) & (jobs_.c.state == job.state)
    statement = update(jobs_).where(same).values(fence=job.fence + 1, updated_at=tx.now, **values)
    row = tx.connection.execute(statement.returning(jobs_)).mappings().one_or_none()
    if row is None:
        raise IllegalMove(f"job {job.id} changed meanwhile: look at it again")
    return to_job(row)
