"""Part of the store: earlier studies that a due study wants from an archive.

A worker asks the archive and writes down what is wanted; a node fetches it (`prior_fetches`); the
study that waits is woken when the earlier one has its result. No patient stands here.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import and_, func, select, update

from jobs.claims import write_held
from jobs.engine import Records, reads, writes
from jobs.events import write_event
from jobs.job import EventKind, JobState, Stage
from jobs.prior import FOUND, PriorSearch, PriorState, WishedPrior
from jobs.prior_rows import is_only_prior, wake_waiting, wishing
from jobs.prior_tables import prior_searches, prior_wishes, priors
from jobs.schema import jobs, studies

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import RowMapping

    from jobs.engine import Transaction
    from jobs.job import Job
    from jobs.prior import WantedPrior

_ARRIVES = timedelta(hours=1)
_NOT_FETCHED = -1
"""As `n_held`: every study has more instances, so this one is never only an earlier one."""
_COMPARED = (Stage.COMPARE, Stage.ENCODE, Stage.DELIVER)


class PriorRecords(Records):
    """Searches in the archive, and the studies that they found."""

    @writes
    def begin_prior_search(self, tx: Transaction, job: Job, wait_s: float) -> PriorSearch:
        """Return the study's search; begin one where there is none or an older job's failed.

        The study waits `wait_s` seconds from the beginning. Raises `LeaseLost`.
        """
        write_held(tx, job)
        query = select(prior_searches).where(prior_searches.c.study_uid == job.study_uid)
        row = tx.connection.execute(query).mappings().one_or_none()
        if row is not None and (row["code"] in (None, FOUND) or row["job_id"] == job.id):
            return _search(row)
        wait_until = tx.now + timedelta(seconds=wait_s)
        begun = {"job_id": job.id, "wait_until": wait_until, "code": None, "left_out": 0}
        statement = tx.insert(prior_searches).values(study_uid=job.study_uid, **begun)
        key = [prior_searches.c.study_uid]
        tx.connection.execute(statement.on_conflict_do_update(index_elements=key, set_=begun))
        return PriorSearch(job.study_uid, job.id, wait_until)

    @writes
    def end_prior_search(
        self,
        tx: Transaction,
        job: Job,
        code: str = FOUND,
        wanted: Sequence[WantedPrior] = (),
        left_out: int = 0,
    ) -> None:
        """Keep what the archive said; what is wanted and is not here is fetched from now on.

        What came by itself is not fetched, and waited for until its job ends. Raises `LeaseLost`.
        """
        write_held(tx, job)
        mine = prior_searches.c.study_uid == job.study_uid
        told = {"code": code, "left_out": left_out}
        tx.connection.execute(update(prior_searches).where(mine).values(told))
        for prior in sorted(wanted, key=lambda one: one.study_uid):
            if not _want(tx, prior, job.priority - 1):
                continue
            wish = {"study_uid": job.study_uid, "prior_uid": prior.study_uid}
            tx.connection.execute(tx.insert(prior_wishes).values(wish).on_conflict_do_nothing())

    @reads
    def prior_search(self, tx: Transaction, study_uid: str) -> PriorSearch | None:
        """Return what was asked for a study; None: nothing was."""
        query = select(prior_searches).where(prior_searches.c.study_uid == study_uid)
        row = tx.connection.execute(query).mappings().one_or_none()
        return None if row is None else _search(row)

    @reads
    def wished_priors(self, tx: Transaction, study_uid: str) -> tuple[WishedPrior, ...]:
        """Return the earlier studies that were wanted for a study, the oldest first."""
        newest = and_(jobs.c.study_uid == priors.c.study_uid, jobs.c.revision == studies.c.revision)
        query = (
            select(priors, jobs.c.state.label("job_state"))
            .join(prior_wishes, prior_wishes.c.prior_uid == priors.c.study_uid)
            .outerjoin(studies, studies.c.uid == priors.c.study_uid)
            .outerjoin(jobs, newest)
            .where(prior_wishes.c.study_uid == study_uid)
            .order_by(priors.c.taken_on, priors.c.study_uid)
        )
        return tuple(_wished(row) for row in tx.connection.execute(query).mappings())

    @reads
    def prior_counts(self, tx: Transaction) -> dict[PriorState, int]:
        """Return how many earlier studies are in each state; every state is there."""
        query = select(priors.c.state, func.count()).group_by(priors.c.state)
        found = {PriorState(state): n for state, n in tx.connection.execute(query)}
        return {state: found.get(state, 0) for state in PriorState}

    @reads
    def is_only_prior(self, tx: Transaction, study_uid: str) -> bool:
        """Whether a study is here because a later one wanted it, and for no other reason."""
        return is_only_prior(tx, study_uid)

    @reads
    def past(self, tx: Transaction, search: PriorSearch) -> bool:
        """Whether the study of a search has waited long enough, by the store's clock."""
        return tx.now >= search.wait_until

    @writes
    def prior_ended(self, tx: Transaction, prior_uid: str) -> None:
        """Say that the job of a study came to an end, to those that want it as an earlier one.

        Who waits for it waits no longer; who was compared without it gets a line in its history.
        """
        known = select(priors.c.taken_on).where(priors.c.study_uid == prior_uid)
        taken_on = tx.connection.execute(known).scalar_one_or_none()
        newest = select(jobs.c.state).join(studies, studies.c.uid == jobs.c.study_uid)
        newest = newest.where(studies.c.uid == prior_uid, jobs.c.revision == studies.c.revision)
        state = tx.connection.execute(newest).scalar_one_or_none()
        if taken_on is None or state in (JobState.QUEUED, JobState.RUNNING):
            return
        wake_waiting(tx, prior_uid)
        if state != JobState.DELIVERED:
            return
        done = select(jobs.c.id).where(wishing(prior_uid), jobs.c.stage.in_(_COMPARED))
        told = {"prior": prior_uid, "taken_on": taken_on}
        for job_id in tx.connection.execute(done).scalars().all():
            write_event(tx, job_id, EventKind.PRIOR_MEASURED, None, **told)


def _want(tx: Transaction, prior: WantedPrior, priority: int) -> bool:
    """Write down that a study is wanted; False where it came by itself and there is its result."""
    this = priors.c.study_uid == prior.study_uid
    if tx.connection.execute(select(priors.c.state).where(this)).one_or_none() is None:
        by_itself, ended = _came(tx, prior.study_uid)
        if ended:
            return False
        state = PriorState.FETCHED if by_itself else PriorState.WANTED
        row = {"study_uid": prior.study_uid, "taken_on": prior.taken_on, "state": state}
        counts = {"priority": priority, "attempt": 0, "n_held": _NOT_FETCHED if by_itself else 0}
        times = {"created_at": tx.now, "updated_at": tx.now}
        tx.connection.execute(
            tx.insert(priors).values(row | counts | times).on_conflict_do_nothing()
        )
    again = {"state": PriorState.WANTED, "attempt": 0, "not_before": None, "updated_at": tx.now}
    failed = this & (priors.c.state == PriorState.FAILED)
    tx.connection.execute(update(priors).where(failed).values(again))
    behind = this & (priors.c.priority < priority)
    tx.connection.execute(update(priors).where(behind).values(priority=priority))
    return True


def _came(tx: Transaction, study_uid: str) -> tuple[bool, bool]:
    """Return whether a study comes or came by itself, and whether its newest job came to an end.

    What lies here for an hour without a job has no images that can be measured.
    """
    newest = (jobs.c.study_uid == studies.c.uid) & (jobs.c.revision == studies.c.revision)
    query = select(jobs.c.state, studies.c.last_received_at)
    query = query.select_from(studies).outerjoin(jobs, newest)
    found = tx.connection.execute(query.where(studies.c.uid == study_uid)).one_or_none()
    if found is None or (found.state is None and found.last_received_at < tx.now - _ARRIVES):
        return False, False
    return True, found.state not in (None, JobState.QUEUED, JobState.RUNNING)


def _search(row: RowMapping) -> PriorSearch:
    return PriorSearch(
        row["study_uid"], row["job_id"], row["wait_until"], row["code"], row["left_out"]
    )


def _wished(row: RowMapping) -> WishedPrior:
    job_state = row["job_state"]
    return WishedPrior(
        study_uid=row["study_uid"],
        taken_on=row["taken_on"],
        state=PriorState(row["state"]),
        code=row["code"],
        job_state=None if job_state is None else JobState(job_state),
    )
