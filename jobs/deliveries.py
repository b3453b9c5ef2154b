"""Part of the store: the way of every object to every destination.

A worker writes here under its job's fence. What a destination says later, on an association of its
own, is written by `jobs.commitments`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, or_, select, update

from jobs.claims import write_held
from jobs.delivery_rows import first_row, lose, note_try, of_job, refuse, settle
from jobs.delivery_tables import deliveries as deliveries_
from jobs.engine import Records, reads, writes
from jobs.result import ON_ITS_WAY, Delivery, DeliveryStatus
from jobs.rows import to_delivery
from jobs.schema import results

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import ColumnElement, Select

    from jobs.engine import Transaction
    from jobs.job import Job

_WAITS = deliveries_.c.status.in_(ON_ITS_WAY)
_AWAITED = deliveries_.c.status == DeliveryStatus.SENT


class Deliveries(Records):
    """Which object is how far on its way to which destination."""

    @writes
    def expect_delivery(
        self, tx: Transaction, job: Job, destination: str, kinds: Collection[str] | None = None
    ) -> None:
        """Note that the job's DICOM objects go to `destination`, those of some kinds or all.

        What stands already stays as it is.

        Raises:
            LeaseLost: the job is no longer ours.

        """
        write_held(tx, job)
        objects = select(results.c.id).where(
            results.c.job_id == job.id, results.c.sop_instance_uid.is_not(None)
        )
        if kinds is not None:
            objects = objects.where(results.c.kind.in_(kinds))
        for result_id in tx.connection.execute(objects).scalars().all():
            row = first_row(tx, result_id, destination)
            tx.connection.execute(tx.insert(deliveries_).values(row).on_conflict_do_nothing())

    @writes
    def mark_sent(
        self, tx: Transaction, job: Job, sop_instance_uid: str, destination: str, status: int
    ) -> None:
        """Note that the destination took the object (DIMSE or HTTP `status`): not yet proven.

        Raises:
            LeaseLost: the job is no longer ours.
            ResultConflict: the object is not one of the job's results.

        """
        write_held(tx, job)
        told = {"last_status": status, "sent_at": tx.now, "code": None, "transaction_uid": None}
        told |= {"next_try_at": None}
        note_try(tx, job, (sop_instance_uid, destination), DeliveryStatus.SENT, told)

    @writes
    def mark_not_sent(
        self, tx: Transaction, job: Job, sop_instance_uid: str, destination: str, status: int | None
    ) -> None:
        """Note a try that failed but may be repeated: still queued. Raises as `mark_sent`."""
        write_held(tx, job)
        told = {"last_status": status}
        note_try(tx, job, (sop_instance_uid, destination), DeliveryStatus.QUEUED, told)

    @writes
    def mark_refused(
        self, tx: Transaction, job: Job, sop_instance_uid: str, destination: str, status: int | None
    ) -> None:
        """Note that the destination will never take the object. Raises as `mark_sent`."""
        write_held(tx, job)
        told = {"last_status": status, "code": "PEER_REFUSED"}
        note_try(tx, job, (sop_instance_uid, destination), DeliveryStatus.REFUSED, told)

    @writes
    def mark_proven(
        self,
        tx: Transaction,
        job: Job,
        destination: str,
        sop_instance_uids: Collection[str],
        outcome: DeliveryStatus,
    ) -> None:
        """Note how storage was proven of objects that were sent: committed, found or sent only.

        Raises:
            LeaseLost: the job is no longer ours.

        """
        write_held(tx, job)
        settle(tx, job.id, of_job(job.id, destination, sop_instance_uids) & _AWAITED, outcome)

    @writes
    def mark_lost(
        self, tx: Transaction, job: Job, destination: str, sop_instance_uids: Collection[str]
    ) -> None:
        """Note that objects which the destination took are not there: they are sent again.

        Raises:
            LeaseLost: the job is no longer ours.

        """
        write_held(tx, job)
        lose(tx, job.id, of_job(job.id, destination, sop_instance_uids) & _AWAITED)

    @writes
    def give_up(
        self,
        tx: Transaction,
        job: Job,
        destination: str,
        code: str,
        sop_instance_uids: Collection[str] | None = None,
    ) -> int:
        """Stop trying what is on its way to a destination, all or some; return how many objects.

        Raises:
            LeaseLost: the job is no longer ours.

        """
        write_held(tx, job)
        return refuse(tx, job.id, of_job(job.id, destination, sop_instance_uids) & _WAITS, code)

    @writes
    def put_off(
        self,
        tx: Transaction,
        job: Job,
        destination: str,
        pause: tuple[float, str],
        sop_instance_uids: Collection[str] | None = None,
    ) -> None:
        """Let what is due wait, all or some: for how many seconds from now, and why (a code).

        Raises:
            LeaseLost: the job is no longer ours.

        """
        again_s, code = pause
        write_held(tx, job)
        values = {"next_try_at": tx.now + timedelta(seconds=again_s), "code": code}
        rows = of_job(job.id, destination, sop_instance_uids) & _is_due(tx)
        tx.connection.execute(update(deliveries_).where(rows).values(values))

    @reads
    def due_deliveries(
        self, tx: Transaction, job_id: str, destination: str
    ) -> tuple[Delivery, ...]:
        """Return what is to be done now of a job for a destination, in the order it was kept."""
        query = _ways().where(results.c.job_id == job_id, _is_due(tx))
        rows = tx.connection.execute(query.where(deliveries_.c.destination == destination))
        return tuple(to_delivery(row) for row in rows.mappings())

    @reads
    def next_delivery_s(
        self, tx: Transaction, job_id: str, destinations: Collection[str]
    ) -> float | None:
        """Return in how many seconds something is due for one of some destinations.

        None: nothing is on its way to any of them.
        """
        at = func.coalesce(deliveries_.c.next_try_at, deliveries_.c.queued_at)
        query = (
            select(func.count(), func.min(at))
            .join(results, results.c.id == deliveries_.c.result_id)
            .where(results.c.job_id == job_id, _WAITS)
            .where(deliveries_.c.destination.in_(destinations))
        )
        number, first = tx.connection.execute(query).one()
        return max(0.0, (first - tx.now).total_seconds()) if number else None

    @reads
    def deliveries(self, tx: Transaction, job_id: str) -> tuple[Delivery, ...]:
        """Return every object's way to every destination."""
        rows = tx.connection.execute(_ways().where(results.c.job_id == job_id))
        return tuple(to_delivery(row) for row in rows.mappings())


def _ways() -> Select[Any]:
    return (
        select(deliveries_, results.c.sop_instance_uid, results.c.name)
        .join(results, results.c.id == deliveries_.c.result_id)
        .order_by(deliveries_.c.destination, results.c.id)
    )


def _is_due(tx: Transaction) -> ColumnElement[bool]:
    at = deliveries_.c.next_try_at
    return and_(_WAITS, or_(at.is_(None), at <= tx.now))
