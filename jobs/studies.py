"""Part of the store: what arrived, an index of the spool that can be rebuilt from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, select, tuple_, update

from jobs.engine import Records, reads, writes
from jobs.errors import UnknownStudy
from jobs.rows import to_instance, to_study
from jobs.schema import instances as instances_
from jobs.schema import studies as studies_

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    from jobs.engine import Transaction
    from jobs.study import Instance, Study

ROWS_A_STATEMENT = 500  # PostgreSQL's protocol takes at most 32767 parameters


class StudyRecords(Records):
    """Studies and their instances."""

    @writes
    def record_instances(self, tx: Transaction, instances: Iterable[Instance]) -> int:
        """Index instances in one transaction; known SOP Instance UIDs are left as they are.

        Returns how many were new. Give them in groups: each call is one durable commit.
        """
        # Sorted, so that two writers wait for each other in one order and never in a ring.
        arrived = sorted(instances, key=lambda i: (i.study_uid, i.sop_instance_uid))
        first_at = {i.study_uid: i.received_at for i in reversed(arrived)}
        if not arrived:
            return 0
        _begin_studies(tx, first_at)
        new = _index(tx, arrived)
        if new:
            _count(tx, sorted(first_at))
        return new

    @reads
    def studies(
        self, tx: Transaction, limit: int = 100, after: str | None = None
    ) -> tuple[Study, ...]:
        """Return studies, the latest arrival first; `after` is the last UID of the page before."""
        place = tuple_(studies_.c.last_received_at, studies_.c.uid)
        query = select(studies_)
        if after is not None:
            mark = select(studies_.c.last_received_at, studies_.c.uid)
            query = query.where(place < mark.where(studies_.c.uid == after).scalar_subquery())
        latest_first = (studies_.c.last_received_at.desc(), studies_.c.uid.desc())
        rows = tx.connection.execute(query.order_by(*latest_first).limit(limit)).mappings()
        return tuple(to_study(row) for row in rows)

    @reads
    def study(self, tx: Transaction, study_uid: str) -> Study:
        """Return one study.

        Raises:
            UnknownStudy: nothing of it arrived.

        """
        query = select(studies_).where(studies_.c.uid == study_uid)
        row = tx.connection.execute(query).mappings().one_or_none()
        if row is None:
            raise UnknownStudy(f"no study {study_uid} arrived")
        return to_study(row)

    @reads
    def instances(
        self, tx: Transaction, study_uid: str, revision: int | None = None
    ) -> tuple[Instance, ...]:
        """Return a study's instances by series and UID; of one revision: what its job works on."""
        query = select(instances_).where(instances_.c.study_uid == study_uid)
        if revision is not None:
            query = query.where(instances_.c.revision <= revision)
        query = query.order_by(instances_.c.series_uid, instances_.c.sop_instance_uid)
        return tuple(to_instance(row) for row in tx.connection.execute(query).mappings())

    @reads
    def newest_revisions(self, tx: Transaction, study_uids: Collection[str]) -> dict[str, int]:
        """Return the revision of the last closing of each study that is known."""
        query = select(studies_.c.uid, studies_.c.revision).where(studies_.c.uid.in_(study_uids))
        return {row.uid: row.revision for row in tx.connection.execute(query)}

    @reads
    def late_instances(self, tx: Transaction, study_uid: str) -> tuple[Instance, ...]:
        """Return a study's instances that no revision took in, ordered as `instances`."""
        waiting = (instances_.c.study_uid == study_uid) & instances_.c.revision.is_(None)
        order = (instances_.c.series_uid, instances_.c.sop_instance_uid)
        rows = tx.connection.execute(select(instances_).where(waiting).order_by(*order))
        return tuple(to_instance(row) for row in rows.mappings())

    @reads
    def open_studies(self, tx: Transaction) -> tuple[Study, ...]:
        """Return the studies with instances that no revision took in, longest quiet first."""
        waiting = select(instances_.c.study_uid).where(instances_.c.revision.is_(None))
        query = select(studies_).where(studies_.c.uid.in_(waiting))
        longest_quiet_first = (studies_.c.last_received_at, studies_.c.uid)
        rows = tx.connection.execute(query.order_by(*longest_quiet_first)).mappings()
        return tuple(to_study(row) for row in rows)


def lock_study(tx: Transaction, study_uid: str) -> None:
    """Keep other writers of the study out until this transaction ends.

    Raises:
        UnknownStudy: nothing of it arrived.

    """
    query = select(studies_.c.uid).where(studies_.c.uid == study_uid).with_for_update()
    if tx.connection.execute(query).one_or_none() is None:
        raise UnknownStudy(f"no study {study_uid} arrived")


def _begin_studies(tx: Transaction, first_at: Mapping[str, datetime]) -> None:
    """Have a row for each study, and keep other writers out of them until the end."""
    uids = sorted(first_at)
    rows = [
        {
            "uid": uid,
            "revision": 0,
            "n_instances": 0,
            "n_series": 0,
            "first_received_at": first_at[uid],
            "last_received_at": first_at[uid],
        }
        for uid in uids
    ]
    tx.connection.execute(tx.insert(studies_).on_conflict_do_nothing(), rows)
    mine = select(studies_.c.uid).where(studies_.c.uid.in_(uids)).order_by(studies_.c.uid)
    tx.connection.execute(mine.with_for_update()).all()


def _index(tx: Transaction, arrived: list[Instance]) -> int:
    # Rows as parameters: a statement that has them in itself is compiled anew for each group.
    rows = [vars(instance) for instance in arrived]
    added = tx.insert(instances_).on_conflict_do_nothing()
    statement = added.returning(instances_.c.sop_instance_uid)
    pages = {"insertmanyvalues_page_size": ROWS_A_STATEMENT}
    return len(tx.connection.execute(statement, rows, execution_options=pages).all())


def _count(tx: Transaction, study_uids: list[str]) -> None:
    """Count again rather than add up: a repeated or rebuilt index gives the same numbers."""
    query = (
        select(
            instances_.c.study_uid.label("of_study"),
            func.count().label("n_instances"),
            func.count(instances_.c.series_uid.distinct()).label("n_series"),
            func.min(instances_.c.received_at).label("first_received_at"),
            func.max(instances_.c.received_at).label("last_received_at"),
        )
        .where(instances_.c.study_uid.in_(study_uids))
        .group_by(instances_.c.study_uid)
    )
    counted = [dict(row) for row in tx.connection.execute(query).mappings()]
    if counted:
        statement = update(studies_).where(studies_.c.uid == bindparam("of_study"))
        values: dict[str, Any] = {
            name: bindparam(name) for name in counted[0] if name != "of_study"
        }
        tx.connection.execute(statement.values(values), counted)
