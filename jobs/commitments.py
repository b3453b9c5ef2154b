"""Part of the store: requests for storage commitment, and what destinations reported.

A report comes on the association of the request, on a new one, minutes later, or never. Who hears
it holds no job, so it is written without a fence: only objects that were asked for under this
Transaction UID change, and nobody but the destination knows that UID.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select, update

from jobs.claims import write_held
from jobs.delivery_rows import lose, of_job, refuse, settle
from jobs.delivery_tables import commitments, deliveries
from jobs.engine import Records, writes
from jobs.job import JobState
from jobs.result import DeliveryStatus
from jobs.schema import jobs

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sqlalchemy import RowMapping

    from jobs.engine import Transaction
    from jobs.job import Job

# FailureReason (0008,1197), PS3.4 section J.3.3 and PS3.3 section C.14.
NO_SUCH_INSTANCE = 0x0112
_NOT_NOW = frozenset((0x0110, 0x0131, 0x0213))


class Commitments(Records):
    """Who was asked to commit what, and what came of it."""

    @writes
    def ask_commitment(
        self,
        tx: Transaction,
        job: Job,
        destination: str,
        sop_instance_uids: Collection[str],
        transaction: tuple[str, float],
    ) -> None:
        """Note a request before it is made: `transaction` is its UID and how long to wait, in s.

        Raises:
            LeaseLost: the job is no longer ours.

        """
        uid, patience_s = transaction
        write_held(tx, job)
        row = {"transaction_uid": uid, "job_id": job.id, "destination": destination}
        tx.connection.execute(insert(commitments).values(row | {"asked_at": tx.now}))
        asked = of_job(job.id, destination, sop_instance_uids)
        asked &= deliveries.c.status == DeliveryStatus.SENT
        waits = update(deliveries).where(asked)
        waits = waits.values(next_try_at=tx.now + timedelta(seconds=patience_s))
        waits = waits.values(transaction_uid=uid, code="PROOF_AWAITED")
        tx.connection.execute(waits)

    @writes
    def drop_commitment(self, tx: Transaction, job: Job, transaction_uid: str) -> None:
        """Note that a request was not made after all: its objects may be asked for again.

        Raises:
            LeaseLost: the job is no longer ours.

        """
        write_held(tx, job)
        ours = deliveries.c.transaction_uid == transaction_uid
        values = {"transaction_uid": None, "next_try_at": None, "code": None}
        tx.connection.execute(update(deliveries).where(ours).values(values))
        mine = commitments.c.transaction_uid == transaction_uid
        tx.connection.execute(delete(commitments).where(mine))

    @writes
    def commitment_reported(
        self,
        tx: Transaction,
        transaction_uid: str,
        committed: Collection[str],
        failed: Mapping[str, int],
    ) -> str | None:
        """Note a report: SOP Instance UIDs that are stored, and those that failed with the reason.

        An object that the destination does not have is sent again; a report that comes twice
        changes nothing more. Returns the job's id, None for a transaction that nobody asked for.
        """
        query = select(commitments).where(commitments.c.transaction_uid == transaction_uid)
        asked = tx.connection.execute(query).mappings().one_or_none()
        if asked is None:
            return None
        job_id: str = asked["job_id"]
        # The job's row first, as every writer does; a job that waits is due at once.
        tx.connection.execute(update(jobs).where(jobs.c.id == job_id).values(updated_at=tx.now))
        waits = (jobs.c.id == job_id) & (jobs.c.state == JobState.QUEUED)
        tx.connection.execute(update(jobs).where(waits).values(not_before=None))
        _note(tx, asked, committed, failed)
        mine = commitments.c.transaction_uid == transaction_uid
        tx.connection.execute(update(commitments).where(mine).values(reported_at=tx.now))
        return job_id


def _note(
    tx: Transaction, asked: RowMapping, committed: Collection[str], failed: Mapping[str, int]
) -> None:
    job_id, destination = asked["job_id"], asked["destination"]
    ours = deliveries.c.transaction_uid == asked["transaction_uid"]
    had = (DeliveryStatus.SENT, DeliveryStatus.FOUND, DeliveryStatus.SENT_ONLY)
    proven = ours & deliveries.c.status.in_(had)
    settle(tx, job_id, of_job(job_id, destination, committed) & proven, DeliveryStatus.COMMITTED)
    awaited = ours & (deliveries.c.status == DeliveryStatus.SENT)
    lost = [uid for uid, reason in failed.items() if reason == NO_SUCH_INSTANCE]
    lose(tx, job_id, of_job(job_id, destination, lost) & awaited)
    later = [uid for uid, reason in failed.items() if reason in _NOT_NOW]
    again = update(deliveries).where(of_job(job_id, destination, later) & awaited)
    # Not committed now: the query after the time limit decides.
    tx.connection.execute(again.values(code="COMMITMENT_FAILED"))
    for uid, reason in failed.items():
        if uid not in lost and uid not in later:
            rows = of_job(job_id, destination, [uid]) & awaited
            refuse(tx, job_id, rows, f"COMMITMENT_0x{reason:04X}")
