"""Part of the store: which studies are of one patient, by keyed digests."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from sqlalchemy import select

from jobs.claims import write_held
from jobs.engine import Records, reads, writes
from jobs.examination import EarlierResult, ExaminationRecord
from jobs.job import JobState
from jobs.schema import examinations, jobs

if TYPE_CHECKING:
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
                jobs.c.state == JobState.DELIVERED,
            )
            .order_by(examinations.c.taken_at, examinations.c.study_uid, jobs.c.revision)
        )
        newest = {row["study_uid"]: row for row in tx.connection.execute(query).mappings()}
        return tuple(
            EarlierResult(
                ExaminationRecord(
                    row["study_uid"],
                    row["patient_key"],
                    row["birth_key"],
                    row["sex_key"],
                    row["taken_at"],
                ),
                row["job_id"],
            )
            for row in newest.values()
        )
