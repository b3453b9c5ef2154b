"""Part of the store: the moment when a study, as it stands, becomes a job."""

from __future__ import annotations

import hashlib
import uuid
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select, update

from jobs.engine import Records, writes
from jobs.errors import IllegalMove
from jobs.events import write_event
from jobs.job import EventKind, Failure, Job, JobState, Priority
from jobs.prior_rows import only_in_part, priority_behind
from jobs.rows import from_failure, to_job
from jobs.schema import instances, jobs, receptions, studies
from jobs.studies import ROWS_A_STATEMENT, lock_study

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jobs.engine import Transaction

MAX_ATTEMPTS = 3
_REPLACED = (JobState.QUEUED, JobState.RUNNING, JobState.HELD)


class StudyRevisions(Records):
    """Closing a study."""

    @writes
    def open_revision(
        self,
        tx: Transaction,
        study_uid: str,
        digest: str,
        members: Sequence[str] | None = None,
        priority: int = 0,
    ) -> Job | None:
        """Close the study as it stands: its next revision and a queued job, in one transaction.

        `digest` names the input (see `jobs.study.input_digest`). `members` are the SOP Instance
        UIDs that it was made of; others that arrived meanwhile stay open. Without it all are taken.
        Older jobs of the study that wait or run end as rejected with the code SUPERSEDED; the new
        one is at least as urgent as they were.

        Returns None if a revision with this digest exists: the same images came again; and while
        the study is here only in part, as an archive gives it (`jobs.prior_rows`).

        Raises:
            UnknownStudy: nothing of it arrived.

        """
        lock_study(tx, study_uid)
        if only_in_part(tx, study_uid):
            return None
        known = _revision_of(tx, study_uid, digest)
        revision = known or _next_revision(tx, study_uid)
        _take_in(tx, study_uid, revision, members)
        tx.connection.execute(delete(receptions).where(receptions.c.study_uid == study_uid))
        if known:
            return None
        why = f"more images arrived: revision {revision} replaces this job"
        priority = priority_behind(tx, study_uid, priority)
        priority = max([priority, *_supersede(tx, study_uid, why)])
        return _open_job(tx, study_uid, revision, {"input_digest": digest, "priority": priority})

    @writes
    def measure_again(
        self, tx: Transaction, study_uid: str, priority: int = int(Priority.REPROCESS)
    ) -> Job:
        """Open a revision of the same images, for other models or settings; a person's decision.

        Images that arrived and were not taken in yet wait for their own revision. A job that is
        held ends as SUPERSEDED, and the new one is at least as urgent as it was.

        Raises:
            UnknownStudy: nothing of it arrived.
            IllegalMove: the study was not measured yet, or its job waits or runs.

        """
        lock_study(tx, study_uid)
        newest = (
            select(jobs)
            .where(jobs.c.study_uid == study_uid)
            .order_by(jobs.c.revision.desc())
            .limit(1)
        )
        row = tx.connection.execute(newest).mappings().one_or_none()
        if row is None or row["state"] in (JobState.QUEUED, JobState.RUNNING):
            state = "still arrives" if row is None else f"has a job that is {row['state']}"
            raise IllegalMove(f"study {study_uid} {state}: it can be measured again after that")
        revision = _next_revision(tx, study_uid)
        # One digest is one job of a study, and the same images that come again find the first.
        digest = hashlib.sha256(f"{row['input_digest']} again {revision}".encode()).hexdigest()
        why = f"the study is measured again: revision {revision} replaces this job"
        priority = max([priority, *_supersede(tx, study_uid, why)])
        return _open_job(tx, study_uid, revision, {"input_digest": digest, "priority": priority})


def _revision_of(tx: Transaction, study_uid: str, digest: str) -> int | None:
    same = (jobs.c.study_uid == study_uid) & (jobs.c.input_digest == digest)
    return tx.connection.execute(select(jobs.c.revision).where(same)).scalar_one_or_none()


def _next_revision(tx: Transaction, study_uid: str) -> int:
    statement = (
        update(studies)
        .where(studies.c.uid == study_uid)
        .values(revision=studies.c.revision + 1, closed_at=tx.now)
        .returning(studies.c.revision)
    )
    revision: int = tx.connection.execute(statement).scalar_one()
    return revision


def _take_in(tx: Transaction, study_uid: str, revision: int, members: Sequence[str] | None) -> None:
    """Write the revision on the instances that it is the first to take in."""
    waiting = (instances.c.study_uid == study_uid) & instances.c.revision.is_(None)
    statement = update(instances).where(waiting).values(revision=revision)
    if members is None:
        tx.connection.execute(statement)
        return
    for start in range(0, len(members), ROWS_A_STATEMENT):
        part = members[start : start + ROWS_A_STATEMENT]
        tx.connection.execute(statement.where(instances.c.sop_instance_uid.in_(part)))


def _supersede(tx: Transaction, study_uid: str, why: str) -> list[int]:
    """End the study's older jobs; the fence stops a worker at its next write.

    Returns their priorities.
    """
    failure = Failure("SUPERSEDED", why)
    statement = (
        update(jobs)
        .where(jobs.c.study_uid == study_uid, jobs.c.state.in_(_REPLACED))
        .values(state=JobState.REJECTED, fence=jobs.c.fence + 1, updated_at=tx.now)
        .values(from_failure(failure))
        .returning(jobs.c.id, jobs.c.priority)
    )
    ended = tx.connection.execute(statement).all()
    for job in ended:
        write_event(tx, job.id, EventKind.REJECTED, code=failure.code, message=failure.message)
    return [job.priority for job in ended]


def _open_job(tx: Transaction, study_uid: str, revision: int, given: dict[str, object]) -> Job:
    row = given | {
        "id": uuid.uuid4().hex,
        "study_uid": study_uid,
        "revision": revision,
        "state": JobState.QUEUED,
        "progress": 0.0,
        "attempt": 0,
        "max_attempts": MAX_ATTEMPTS,
        "fence": 0,
        "created_at": tx.now,
        "updated_at": tx.now,
    }
    job = to_job(tx.connection.execute(insert(jobs).values(row).returning(jobs)).mappings().one())
    write_event(tx, job.id, EventKind.OPENED, revision=revision)
    return job
