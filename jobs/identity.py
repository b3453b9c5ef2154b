"""Part of the store: jobs that are held because nobody knows whose images they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, update

from jobs.engine import Records, reads, writes
from jobs.errors import IllegalMove
from jobs.events import write_event
from jobs.examinations import to_record, was_delivered
from jobs.job import EventKind, JobState
from jobs.lifecycle import find_job, refuse_replaced
from jobs.rows import from_failure, to_job
from jobs.schema import examinations, job_events, jobs

if TYPE_CHECKING:
    from jobs.engine import Transaction
    from jobs.examination import ExaminationRecord
    from jobs.job import Job

RELEASABLE = frozenset({"IDENTITY_CONFLICT", "IDENTITY_OF_STUDY"})
"""Codes of held jobs that a person may let go on as they are."""


class IdentityDecisions(Records):
    """Who else is under a patient's ID, and what a person decided about it."""

    @reads
    def under_same_id(
        self, tx: Transaction, record: ExaminationRecord
    ) -> tuple[ExaminationRecord, ...]:
        """Return the other studies under the Patient ID of `record` that were measured."""
        if not record.patient_key:
            return ()
        query = (
            select(examinations)
            .join(jobs, jobs.c.study_uid == examinations.c.study_uid)
            .where(
                examinations.c.patient_key == record.patient_key,
                examinations.c.study_uid != record.study_uid,
                was_delivered(),
            )
            .distinct()
        )
        return tuple(to_record(row) for row in tx.connection.execute(query).mappings())

    @writes
    def release(self, tx: Transaction, job_id: str) -> Job:
        """Let a job that is held for its patient's identity go on: a person knows whose it is.

        It is measured, and not compared with the studies that say to be another person's.

        Raises:
            UnknownJob: there is no such job.
            IllegalMove: it is not held for that, or a newer revision of the study replaced it.

        """
        job = find_job(tx, job_id)
        code = job.failure.code if job.failure else ""
        if job.state is not JobState.HELD or code not in RELEASABLE:
            raise IllegalMove(f"job {job_id} is not held for its patient's identity")
        refuse_replaced(tx, job)
        statement = (
            update(jobs)
            .where(jobs.c.id == job_id, jobs.c.fence == job.fence, jobs.c.state == job.state)
            .values(state=JobState.QUEUED, attempt=0, fence=job.fence + 1, updated_at=tx.now)
            .values(stage=None, progress=0.0, not_before=None, lease_until=None)
            .values(from_failure(None))
            .returning(jobs)
        )
        row = tx.connection.execute(statement).mappings().one_or_none()
        if row is None:
            raise IllegalMove(f"job {job_id} changed meanwhile: look at it again")
        write_event(tx, job_id, EventKind.RELEASED, code=code)
        return to_job(row)

    @reads
    def released(self, tx: Transaction, study_uid: str) -> bool:
        """Whether a person let this study go on; it counts for its later revisions too."""
        query = (
            select(job_events.c.id)
            .join(jobs, jobs.c.id == job_events.c.job_id)
            .where(jobs.c.study_uid == study_uid, job_events.c.kind == EventKind.RELEASED)
        )
        return tx.connection.execute(query.limit(1)).one_or_none() is not None
