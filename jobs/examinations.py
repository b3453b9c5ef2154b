"""Part of the store: which studies are of one patient, by keyed digests."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from sqlalchemy import exists, or_, select

from jobs.claims import write_held
from jobs.engine import Records, reads, writes
from jobs.examination import EarlierResult, ExaminationRecord
from jobs.job import EventKind, JobState
from jobs.schema import examinations, job_events, jobs

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, RowMapping

    from jobs.engine import Transaction
    from jobs.job import Job


class ExaminationRecords(Records):
    """Examinations."""

    @writes
    def keep_examination(self, tx: Transaction, job: Job, record: ExaminationRecord) -> None:
        """Keep whose study the job measures; replaces what an earlier revision said.

        Raises:
            LeaseLost: the job is no longer ours.

        """
        write_held(tx, job)
        row = asdict(record)
        changed = {name: value for name, value in row.items() if name != "study_uid"}
        statement = tx.insert(examinations).values(row)
        key = [examinations.c.study_uid]
        tx.connection.execute(statement.on_conflict_do_update(index_elements=key, set_=changed))

    @reads
    def other_results(
        self, tx: Transaction, record: ExaminationRecord
    ) -> tuple[EarlierResult, ...]:
        """Return the patient's other studies with delivered results, oldest examination first.

        Of each study the newest delivered revision. None where the patient is not known.
        """
        if not record.patient_key:
            return ()
        query = (
            select(examinations, jobs.c.id.label("job_id"))
            .join(jobs, jobs.c.study_uid == examinations.c.study_uid)
            .where(
                examinations.c.patient_key == record.patient_key,
                examinations.c.study_uid != record.study_uid,
                was_delivered(),
            )
            .order_by(examinations.c.taken_at, examinations.c.study_uid, jobs.c.revision)
        )
        newest = {row["study_uid"]: row for row in tx.connection.execute(query).mappings()}
        return tuple(EarlierResult(to_record(row), row["job_id"]) for row in newest.values())

    @reads
    def examination(self, tx: Transaction, study_uid: str) -> ExaminationRecord | None:
        """Return whose and of when a study is; None where no worker has said."""
        query = select(examinations).where(examinations.c.study_uid == study_uid)
        row = tx.connection.execute(query).mappings().one_or_none()
        return None if row is None else to_record(row)


def was_delivered() -> ColumnElement[bool]:
    """Return the condition under which a job has results that somebody was given.

    While they are sent once more its state is another one.
    """
    told = (job_events.c.job_id == jobs.c.id) & (job_events.c.kind == EventKind.DELIVERED)
    return or_(jobs.c.state == JobState.DELIVERED, exists().where(told))


def to_record(row: RowMapping) -> ExaminationRecord:
    """Return a row of `examinations` as a value."""
    return ExaminationRecord(
        row["study_uid"], row["patient_key"], row["birth_key"], row["sex_key"], row["taken_at"]
    )
