"""Part of the store: the DICOM objects that Osteon holds, received ones and those it made.

Of the objects that jobs made, those of the newest revision with results count: older ones are
replaced. An object that came back from the PACS is listed once, as received.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, literal, null, select, union_all

from jobs.engine import Records, reads
from jobs.schema import instances, jobs, results, studies

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import ColumnElement, RowMapping, Select

    from jobs.engine import Transaction

_STUDIES_A_STATEMENT = 500


@dataclass(frozen=True)
class HeldObject:
    """One DICOM object, and where its file is."""

    sop_instance_uid: str
    study_uid: str
    series_uid: str
    sop_class_uid: str
    path: str
    """Below the folder of results where it was `made`, else below the spool."""
    sha256: str
    made: bool
    """By a job; else it was received."""
    transfer_syntax_uid: str | None
    """None where it was `made`: the file says it."""


@dataclass(frozen=True)
class HeldSeries:
    """One series, by how many objects it has and the file of one of them."""

    study_uid: str
    series_uid: str
    n_instances: int
    path: str
    made: bool


@dataclass(frozen=True)
class HoldingsMark:
    """Changes when a study or a result is added: what was read at another mark may be old."""

    n_studies: int
    n_instances: int
    newest_result: int


class Holdings(Records):
    """What can be handed out."""

    @reads
    def holdings_mark(self, tx: Transaction) -> HoldingsMark:
        """Return the mark of this moment; costs one look at the table of studies."""
        counted = select(func.count(), func.coalesce(func.sum(studies.c.n_instances), 0))
        n_studies, n_instances = tx.connection.execute(counted).one()
        newest = tx.connection.execute(select(func.max(results.c.id))).scalar_one()
        return HoldingsMark(n_studies, int(n_instances), newest or 0)

    @reads
    def held_studies(self, tx: Transaction) -> dict[str, int]:
        """Return every study with its number of received instances, latest arrival first."""
        query = select(studies.c.uid, studies.c.n_instances)
        latest_first = (studies.c.last_received_at.desc(), studies.c.uid.desc())
        rows = tx.connection.execute(query.order_by(*latest_first))
        return {row.uid: row.n_instances for row in rows}

    @reads
    def studies_with_results(self, tx: Transaction, after: int) -> frozenset[str]:
        """Return the studies that got a DICOM object since the mark's `newest_result`."""
        query = (
            select(jobs.c.study_uid)
            .join(results, results.c.job_id == jobs.c.id)
            .where(results.c.id > after, results.c.sop_instance_uid.is_not(None))
        )
        return frozenset(tx.connection.execute(query.distinct()).scalars())

    @reads
    def held_series(self, tx: Transaction, study_uids: Collection[str]) -> tuple[HeldSeries, ...]:
        """Return the series of some studies, by study and UID."""
        found: list[HeldSeries] = []
        uids = sorted(study_uids)
        for start in range(0, len(uids), _STUDIES_A_STATEMENT):
            part = uids[start : start + _STUDIES_A_STATEMENT]
            query = union_all(_received_series(part), _made_series(part))
            rows = tx.connection.execute(query).mappings()
            found.extend(HeldSeries(**_named(row)) for row in rows)
        return tuple(sorted(found, key=lambda s: (s.study_uid, s.series_uid)))

    @reads
    def held_objects(
        self,
        tx: Transaction,
        study_uid: str,
        series_uid: str | None = None,
        sop_instance_uid: str | None = None,
    ) -> tuple[HeldObject, ...]:
        """Return the objects of a study, a series or one of them, by series and UID."""
        wanted = {"series_uid": series_uid, "sop_instance_uid": sop_instance_uid}
        given = {name: uid for name, uid in wanted.items() if uid is not None}
        query = union_all(
            _received(study_uid).where(*(instances.c[n] == uid for n, uid in given.items())),
            _made([study_uid], *_OBJECT).where(*(results.c[n] == u for n, u in given.items())),
        )
        rows = tx.connection.execute(query).mappings()
        found = (HeldObject(**_named(row)) for row in rows)
        return tuple(sorted(found, key=lambda o: (o.series_uid, o.sop_instance_uid)))


_OBJECT: tuple[ColumnElement[Any], ...] = (
    results.c.sop_instance_uid,
    jobs.c.study_uid,
    results.c.series_uid,
    results.c.sop_class_uid,
    results.c.path,
    results.c.sha256,
    literal(1).label("made"),
    null().label("transfer_syntax_uid"),
)


def _named(row: RowMapping) -> dict[str, Any]:
    return dict(row) | {"made": bool(row["made"])}


def _received(study_uid: str) -> Select[Any]:
    columns = ("sop_instance_uid", "study_uid", "series_uid", "sop_class_uid", "path", "sha256")
    named = [instances.c[name] for name in columns]
    query = select(*named, literal(0).label("made"), instances.c.transfer_syntax_uid)
    return query.where(instances.c.study_uid == study_uid)


def _received_series(study_uids: Collection[str]) -> Select[Any]:
    series = (instances.c.study_uid, instances.c.series_uid)
    counted = func.count().label("n_instances")
    path = func.min(instances.c.path).label("path")
    query = select(*series, counted, path, literal(0).label("made"))
    return query.where(instances.c.study_uid.in_(study_uids)).group_by(*series)


def _made_series(study_uids: Collection[str]) -> Select[Any]:
    series = (jobs.c.study_uid, results.c.series_uid)
    counted = func.count().label("n_instances")
    path = func.min(results.c.path).label("path")
    columns = (*series, counted, path, literal(1).label("made"))
    return _made(study_uids, *columns).group_by(*series)


def _made(study_uids: Collection[str], *columns: ColumnElement[Any]) -> Select[Any]:
    """Select objects of the newest revision that has some, without those that came back."""
    newest = (
        select(jobs.c.study_uid, func.max(jobs.c.revision).label("revision"))
        .join(results, results.c.job_id == jobs.c.id)
        .where(jobs.c.study_uid.in_(study_uids), results.c.sop_instance_uid.is_not(None))
        .group_by(jobs.c.study_uid)
        .subquery()
    )
    came_back = select(instances.c.sop_instance_uid).where(
        instances.c.sop_instance_uid == results.c.sop_instance_uid,
        instances.c.study_uid == jobs.c.study_uid,
    )
    same = and_(newest.c.study_uid == jobs.c.study_uid, newest.c.revision == jobs.c.revision)
    return (
        select(*columns)
        .select_from(jobs)
        .join(newest, same)
        .join(results, results.c.job_id == jobs.c.id)
        .where(results.c.sop_instance_uid.is_not(None), ~came_back.exists())
    )
