"""What other parts of the store have to know of studies that are fetched from an archive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, func, select, update

from jobs.job import JobState
from jobs.prior import PriorState
from jobs.prior_tables import prior_wishes, priors
from jobs.schema import jobs, studies

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, RowMapping

    from jobs.engine import Transaction

AWAITED = "PRIORS_AWAITED"
"""The code of a job that waits for earlier studies."""


def only_in_part(tx: Transaction, study_uid: str) -> bool:
    """Whether what is here of a study is what a retrieval has brought so far, and no more.

    Such a study is not measured: half a body would be compared with a whole one. Images that
    came by another way, after a retrieval that failed, make it an ordinary study.
    """
    row = _prior(tx, study_uid)
    if row is None or row["state"] == PriorState.FETCHED:
        return False
    return row["state"] != PriorState.FAILED or not _grew(tx, row)


def is_only_prior(tx: Transaction, study_uid: str) -> bool:
    """Whether a study is here because a later one wanted it, and for no other reason."""
    row = _prior(tx, study_uid)
    return row is not None and row["state"] == PriorState.FETCHED and not _grew(tx, row)


def priority_behind(tx: Transaction, study_uid: str, priority: int) -> int:
    """Return the priority of a study's job: just behind the one that wants it, if one does."""
    row = _prior(tx, study_uid)
    return int(row["priority"]) if row is not None and is_only_prior(tx, study_uid) else priority


def _prior(tx: Transaction, study_uid: str) -> RowMapping | None:
    query = select(priors).where(priors.c.study_uid == study_uid)
    return tx.connection.execute(query).mappings().one_or_none()


def _grew(tx: Transaction, row: RowMapping) -> bool:
    counted = select(studies.c.n_instances).where(studies.c.uid == row["study_uid"])
    here = tx.connection.execute(counted).scalar_one_or_none() or 0
    return bool(here > row["n_held"])


def wake_waiting(tx: Transaction, prior_uid: str) -> None:
    """Let the jobs that wait for an earlier study look again now."""
    waiting = and_(
        wishing(prior_uid), jobs.c.state == JobState.QUEUED, jobs.c.failure_code == AWAITED
    )
    tx.connection.execute(update(jobs).where(waiting).values(not_before=None, updated_at=tx.now))


def wishing(prior_uid: str) -> ColumnElement[bool]:
    """Return the condition of being the newest job of a study that wants this earlier one."""
    newest = select(func.max(studies.c.revision)).where(studies.c.uid == jobs.c.study_uid)
    wishes = select(prior_wishes.c.study_uid).where(prior_wishes.c.prior_uid == prior_uid)
    return and_(
        jobs.c.study_uid.in_(wishes),
        jobs.c.revision == newest.correlate(jobs).scalar_subquery(),
    )
