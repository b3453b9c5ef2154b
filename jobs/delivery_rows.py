"""Moves of rows of `deliveries`, each with its line in the job's history.

Who calls has changed the job's row in the same transaction (`jobs.events.write_event`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from jobs.delivery_tables import deliveries, destinations
from jobs.errors import ResultConflict
from jobs.events import write_event
from jobs.job import EventKind, Stage
from jobs.result import DeliveryStatus
from jobs.schema import results

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sqlalchemy import ColumnElement

    from jobs.engine import Transaction
    from jobs.job import Job

_KEY = [deliveries.c.result_id, deliveries.c.destination]
_KINDS = {DeliveryStatus.SENT: EventKind.SENT}


def first_row(tx: Transaction, result_id: int, destination: str) -> dict[str, Any]:
    """Return the row of an object that is to be sent."""
    return {
        "result_id": result_id,
        "destination": destination,
        "status": DeliveryStatus.QUEUED,
        "attempts": 0,
        "lost": 0,
        "queued_at": tx.now,
        "updated_at": tx.now,
    }


def of_job(
    job_id: str, destination: str, sop_instance_uids: Collection[str] | None = None
) -> ColumnElement[bool]:
    """Return the condition for a job's objects at a destination, all or some."""
    mine = select(results.c.id).where(
        results.c.job_id == job_id, results.c.sop_instance_uid.is_not(None)
    )
    if sop_instance_uids is not None:
        mine = mine.where(results.c.sop_instance_uid.in_(sop_instance_uids))
    return deliveries.c.result_id.in_(mine) & (deliveries.c.destination == destination)


def note_try(
    tx: Transaction,
    job: Job,
    way: tuple[str, str],
    outcome: DeliveryStatus,
    told: Mapping[str, object],
) -> None:
    """Note what became of one try for `way` (SOP Instance UID, destination).

    Raises:
        ResultConflict: the object is not one of the job's results.

    """
    sop_instance_uid, destination = way
    result_id = _result_id(tx, job, sop_instance_uid)
    row = first_row(tx, result_id, destination) | {"attempts": 1, "status": outcome, **told}
    # A first try counts one, a later one adds to what stands.
    changed = {"status": outcome, "updated_at": tx.now, **told}
    changed |= {"attempts": deliveries.c.attempts + 1}
    statement = tx.insert(deliveries).values(row)
    tx.connection.execute(statement.on_conflict_do_update(index_elements=_KEY, set_=changed))
    status = told["last_status"]
    said = {"sop_instance_uid": sop_instance_uid, "destination": destination, "status": status}
    kind = _KINDS.get(outcome, EventKind.NOT_SENT)
    write_event(tx, job.id, kind, Stage.DELIVER, outcome=outcome, **said)


def settle(tx: Transaction, job_id: str, rows: ColumnElement[bool], outcome: DeliveryStatus) -> int:
    """Note that storage of these objects is proven, as `outcome` says; return how many."""
    values = {"status": outcome, "code": None, "next_try_at": None, "updated_at": tx.now}
    return _move(tx, job_id, rows, EventKind.STORED, values)


def lose(tx: Transaction, job_id: str, rows: ColumnElement[bool]) -> int:
    """Note that objects which were taken are not there, so that they are sent again."""
    values = {
        "status": DeliveryStatus.QUEUED,
        "code": "NOT_STORED",
        "lost": deliveries.c.lost + 1,
        "next_try_at": None,
        "transaction_uid": None,
        "updated_at": tx.now,
    }
    return _move(tx, job_id, rows, EventKind.NOT_SENT, values)


def refuse(tx: Transaction, job_id: str, rows: ColumnElement[bool], code: str) -> int:
    """Note that nothing more is tried for these objects before a person decides."""
    values = {"status": DeliveryStatus.REFUSED, "code": code, "updated_at": tx.now}
    return _move(tx, job_id, rows, EventKind.NOT_SENT, values)


def send_once_more(tx: Transaction, rows: ColumnElement[bool]) -> None:
    """Queue objects as if they had never been sent; their destinations are asked at once."""
    away = select(deliveries.c.destination).where(rows)
    tx.connection.execute(
        update(destinations).where(destinations.c.name.in_(away)).values(not_before=tx.now)
    )
    values = {
        "status": DeliveryStatus.QUEUED,
        "code": None,
        "lost": 0,
        "queued_at": tx.now,
        "next_try_at": None,
        "transaction_uid": None,
        "updated_at": tx.now,
    }
    tx.connection.execute(update(deliveries).where(rows).values(values))


def _move(
    tx: Transaction,
    job_id: str,
    rows: ColumnElement[bool],
    kind: EventKind,
    values: Mapping[str, object],
) -> int:
    statement = update(deliveries).where(rows).values(values).returning(deliveries.c.destination)
    moved = tx.connection.execute(statement).scalars().all()
    for destination in sorted(set(moved)):
        told = {"outcome": values["status"], "code": values["code"]}
        said = {"destination": destination, "objects": moved.count(destination)}
        write_event(tx, job_id, kind, Stage.DELIVER, **said, **told)
    return len(moved)


def _result_id(tx: Transaction, job: Job, sop_instance_uid: str) -> int:
    mine = (results.c.job_id == job.id) & (results.c.sop_instance_uid == sop_instance_uid)
    found: int | None = tx.connection.execute(select(results.c.id).where(mine)).scalar_one_or_none()
    if found is None:
        raise ResultConflict(f"{sop_instance_uid} is not a result of job {job.id}: keep it first")
    return found
