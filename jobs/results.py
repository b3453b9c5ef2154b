"""Part of the store: what a job made, its headline numbers, and where its objects were sent."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from jobs.claims import write_held
from jobs.engine import Records, reads, writes
from jobs.errors import ResultConflict
from jobs.events import write_event
from jobs.headline import headline
from jobs.job import EventKind, Stage
from jobs.result import Delivery, DeliveryStatus, ResultFile
from jobs.rows import to_delivery, to_result
from jobs.schema import deliveries as deliveries_
from jobs.schema import headlines, summaries
from jobs.schema import results as results_

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jobs.engine import Transaction
    from jobs.job import Job


class JobResults(Records):
    """Results, summaries and deliveries."""

    @writes
    def keep_results(self, tx: Transaction, job: Job, results: Sequence[ResultFile]) -> None:
        """Record what the job made, before anything of it is sent.

        Keeping the same bytes again does nothing. A document (no SOP Instance UID) may be replaced;
        a DICOM object never: new bytes need a new UID and a new job.

        Raises:
            LeaseLost: the job is no longer ours.
            ResultConflict: another object stands under the UID or the name.

        """
        write_held(tx, job)
        for result in results:
            _keep(tx, job, result)
        write_event(tx, job.id, EventKind.RESULTS_KEPT, names=[result.name for result in results])

    @reads
    def results(self, tx: Transaction, job_id: str) -> tuple[ResultFile, ...]:
        """Return what the job made, in the order in which it was kept."""
        query = select(results_).where(results_.c.job_id == job_id).order_by(results_.c.id)
        return tuple(to_result(row) for row in tx.connection.execute(query).mappings())

    @writes
    def keep_summary(self, tx: Transaction, job: Job, summary: Mapping[str, Any]) -> None:
        """Keep the headline numbers and series records; JSON without NaN; replaces an older one.

        Raises:
            LeaseLost: the job is no longer ours.
            ValueError: a number is NaN or infinite.

        """
        document = json.loads(json.dumps(summary, allow_nan=False))
        write_held(tx, job)
        statement = tx.insert(summaries).values(job_id=job.id, document=document)
        tx.connection.execute(
            statement.on_conflict_do_update(
                index_elements=[summaries.c.job_id], set_={"document": document}
            )
        )
        shown = headline(document)
        listed = tx.insert(headlines).values(job_id=job.id, **shown)
        key = [headlines.c.job_id]
        tx.connection.execute(listed.on_conflict_do_update(index_elements=key, set_=shown))

    @reads
    def summary(self, tx: Transaction, job_id: str) -> dict[str, Any] | None:
        """Return the job's summary, None while there is none."""
        query = select(summaries.c.document).where(summaries.c.job_id == job_id)
        document: dict[str, Any] | None = tx.connection.execute(query).scalar_one_or_none()
        return document

    @writes
    def expect_delivery(self, tx: Transaction, job: Job, destination: str) -> None:
        """Note that every DICOM object of the job goes to `destination`: pending until marked.

        Raises:
            LeaseLost: the job is no longer ours.

        """
        write_held(tx, job)
        objects = select(results_.c.id).where(
            results_.c.job_id == job.id, results_.c.sop_instance_uid.is_not(None)
        )
        for result_id in tx.connection.execute(objects).scalars().all():
            row = {
                "result_id": result_id,
                "destination": destination,
                "status": DeliveryStatus.PENDING,
                "attempts": 0,
                "updated_at": tx.now,
            }
            tx.connection.execute(tx.insert(deliveries_).values(row).on_conflict_do_nothing())

    @writes
    def mark_sent(
        self, tx: Transaction, job: Job, sop_instance_uid: str, destination: str, status: int
    ) -> None:
        """Note that the destination took the object (DIMSE `status`): sent, not yet proven.

        Raises:
            LeaseLost: the job is no longer ours.
            ResultConflict: the object is not one of the job's results.

        """
        _mark(tx, job, (sop_instance_uid, destination), DeliveryStatus.SENT, status)

    @writes
    def mark_not_sent(
        self, tx: Transaction, job: Job, sop_instance_uid: str, destination: str, status: int | None
    ) -> None:
        """Note a try that failed but may be repeated: still pending. Raises as `mark_sent`."""
        _mark(tx, job, (sop_instance_uid, destination), DeliveryStatus.PENDING, status)

    @writes
    def mark_refused(
        self, tx: Transaction, job: Job, sop_instance_uid: str, destination: str, status: int | None
    ) -> None:
        """Note that the destination will never take the object. Raises as `mark_sent`."""
        _mark(tx, job, (sop_instance_uid, destination), DeliveryStatus.FAILED, status)

    @writes
    def mark_stored(
        self, tx: Transaction, job: Job, sop_instance_uid: str, destination: str
    ) -> None:
        """Note that storage was proven (commitment or query). Raises as `mark_sent`."""
        _mark(tx, job, (sop_instance_uid, destination), DeliveryStatus.STORED, None)

    @reads
    def deliveries(self, tx: Transaction, job_id: str) -> tuple[Delivery, ...]:
        """Return every object's way to every destination."""
        query = (
            select(deliveries_, results_.c.sop_instance_uid, results_.c.name)
            .join(results_, results_.c.id == deliveries_.c.result_id)
            .where(results_.c.job_id == job_id)
            .order_by(deliveries_.c.destination, results_.c.id)
        )
        return tuple(to_delivery(row) for row in tx.connection.execute(query).mappings())


def _keep(tx: Transaction, job: Job, result: ResultFile) -> None:
    taken = results_.c.sop_instance_uid == result.sop_instance_uid
    same_name = (results_.c.job_id == job.id) & (results_.c.name == result.name)
    query = select(results_).where(taken | same_name)
    for row in tx.connection.execute(query).mappings():
        if row["job_id"] == job.id and to_result(row) == result:
            return
        if row["sop_instance_uid"] or result.sop_instance_uid:
            raise ResultConflict(
                f"{result.name}: other bytes stand under {row['sop_instance_uid'] or row['name']} "
                f"of job {row['job_id']}; send those, or make new bytes with a new UID and name"
            )
    kept = asdict(result) | {"job_id": job.id, "created_at": tx.now}
    statement = tx.insert(results_).values(kept)
    name = [results_.c.job_id, results_.c.name]
    tx.connection.execute(statement.on_conflict_do_update(index_elements=name, set_=kept))


# A first try counts one, a later one adds to what stands.
_EVENT = {
    DeliveryStatus.SENT: (EventKind.SENT, 1),
    DeliveryStatus.PENDING: (EventKind.NOT_SENT, 1),
    DeliveryStatus.FAILED: (EventKind.NOT_SENT, 1),
    DeliveryStatus.STORED: (EventKind.STORED, 0),
}


def _mark(
    tx: Transaction,
    job: Job,
    way: tuple[str, str],
    outcome: DeliveryStatus,
    status: int | None,
) -> None:
    """Note the outcome of one try for `way` (SOP Instance UID, destination)."""
    sop_instance_uid, destination = way
    write_held(tx, job)
    result_id = _result_id(tx, job, sop_instance_uid)
    kind, tries = _EVENT[outcome]
    row = {
        "result_id": result_id,
        "destination": destination,
        "status": outcome,
        "attempts": tries,
        "last_status": status,
        "updated_at": tx.now,
    }
    changed = {name: row[name] for name in ("status", "updated_at")}
    changed["attempts"] = deliveries_.c.attempts + tries
    if tries:
        changed["last_status"] = status
    key = [deliveries_.c.result_id, deliveries_.c.destination]
    statement = tx.insert(deliveries_).values(row)
    tx.connection.execute(statement.on_conflict_do_update(index_elements=key, set_=changed))
    told = {"sop_instance_uid": sop_instance_uid, "destination": destination, "status": status}
    write_event(tx, job.id, kind, Stage.DELIVER, outcome=outcome, **told)


def _result_id(tx: Transaction, job: Job, sop_instance_uid: str) -> int:
    mine = (results_.c.job_id == job.id) & (results_.c.sop_instance_uid == sop_instance_uid)
    result_id: int | None = tx.connection.execute(
        select(results_.c.id).where(mine)
    ).scalar_one_or_none()
    if result_id is None:
        raise ResultConflict(f"{sop_instance_uid} is not a result of job {job.id}: keep it first")
    return result_id
