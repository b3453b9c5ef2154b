"""Part of the store: what a job made, and its headline numbers."""

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
from jobs.job import EventKind
from jobs.rows import to_result
from jobs.schema import headlines, summaries
from jobs.schema import results as results_

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jobs.engine import Transaction
    from jobs.job import Job
    from jobs.result import ResultFile


class JobResults(Records):
    """Results and summaries."""

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
