"""Part of the store: which node fetches which earlier study, and how that ended."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import and_, func, or_, select, update

from jobs.engine import Records, reads, writes
from jobs.errors import LeaseLost
from jobs.prior import PriorFetch, PriorState
from jobs.prior_rows import wake_waiting
from jobs.prior_tables import priors
from jobs.schema import instances, studies

if TYPE_CHECKING:
    from jobs.engine import Transaction


class PriorFetches(Records):
    """Errands to the archive, each with a lease."""

    @reads
    def held_counts(self, tx: Transaction, study_uid: str) -> dict[str, int]:
        """Return how many instances of each series of a study are here, by Series Instance UID."""
        counted = select(instances.c.series_uid, func.count()).group_by(instances.c.series_uid)
        rows = tx.connection.execute(counted.where(instances.c.study_uid == study_uid))
        return {str(uid): int(n) for uid, n in rows}

    @writes
    def claim_prior(self, tx: Transaction, owner: str, lease_s: float) -> PriorFetch | None:
        """Take the next earlier study that is to be fetched; None if none is due."""
        due = or_(
            and_(
                priors.c.state == PriorState.WANTED,
                or_(priors.c.not_before.is_(None), priors.c.not_before <= tx.now),
            ),
            and_(priors.c.state == PriorState.FETCHING, priors.c.lease_until < tx.now),
        )
        order = (priors.c.priority.desc(), priors.c.created_at, priors.c.study_uid)
        first = select(priors.c.study_uid).where(due).order_by(*order).limit(1)
        statement = (
            update(priors)
            .where(priors.c.study_uid == first.with_for_update(skip_locked=True).scalar_subquery())
            .where(due)
            .values(state=PriorState.FETCHING, attempt=priors.c.attempt + 1, owner=owner)
            .values(lease_until=tx.now + timedelta(seconds=lease_s), updated_at=tx.now)
            .returning(priors)
        )
        row = tx.connection.execute(statement).mappings().one_or_none()
        return None if row is None else PriorFetch(row["study_uid"], owner, row["attempt"])

    @writes
    def renew_prior(self, tx: Transaction, fetch: PriorFetch, lease_s: float) -> None:
        """Hold the errand for `lease_s` seconds from now. Raises `LeaseLost`."""
        _change(tx, fetch, lease_until=tx.now + timedelta(seconds=lease_s))

    @writes
    def prior_fetched(self, tx: Transaction, fetch: PriorFetch) -> None:
        """Say that all of it is here. Raises `LeaseLost`."""
        _change(tx, fetch, state=PriorState.FETCHED, code=None, n_held=_held(tx, fetch))

    @writes
    def prior_later(self, tx: Transaction, fetch: PriorFetch, code: str, delay_s: float) -> None:
        """Say that it can be fetched later, and why not now. Raises `LeaseLost`."""
        not_before = tx.now + timedelta(seconds=delay_s)
        _change(tx, fetch, state=PriorState.WANTED, code=code, not_before=not_before)

    @writes
    def prior_failed(self, tx: Transaction, fetch: PriorFetch, code: str) -> None:
        """Say that it is not to be had; who waits for it waits no longer. Raises `LeaseLost`."""
        _change(tx, fetch, state=PriorState.FAILED, code=code, n_held=_held(tx, fetch))
        wake_waiting(tx, fetch.study_uid)


def _change(tx: Transaction, fetch: PriorFetch, **values: object) -> None:
    mine = and_(
        priors.c.study_uid == fetch.study_uid,
        priors.c.state == PriorState.FETCHING,
        priors.c.owner == fetch.owner,
        priors.c.attempt == fetch.attempt,
    )
    statement = update(priors).where(mine).values(updated_at=tx.now, **values)
    if tx.connection.execute(statement).rowcount != 1:
        raise LeaseLost("another node fetches this earlier study now")


def _held(tx: Transaction, fetch: PriorFetch) -> int:
    query = select(studies.c.n_instances).where(studies.c.uid == fetch.study_uid)
    return tx.connection.execute(query).scalar_one_or_none() or 0
