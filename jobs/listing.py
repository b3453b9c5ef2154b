"""Part of the store: studies as a list for people and programs, filtered, sorted, page by page.

A page goes on after a place in the order, not after a count of rows: studies that arrive meanwhile
neither repeat nor hide what stands below it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, or_, select, tuple_

from jobs.engine import Records, reads
from jobs.job import JobState
from jobs.labels import folded, to_label
from jobs.place import Place, Sort, utc
from jobs.rows import to_job, to_study
from jobs.schema import headlines, jobs, studies, study_labels, summaries

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import ColumnElement, Row, Select

    from jobs.engine import Transaction
    from jobs.job import Job
    from jobs.labels import StudyLabel
    from jobs.study import Study

ARRIVING = "arriving"
"""In `StudyQuery.states`: studies that were never closed, and have no job therefore."""
MOST = 500
_WORDS = 8


class Flag(StrEnum):
    """What makes a study worth a second look."""

    PARTIAL = "partial"  # not the whole body was in the images
    WARNING = "warning"  # a quality note warns
    BEYOND_LIMIT = "beyond_limit"  # TDV or gADC changed by more than the repeatability limit


class DatedBy(StrEnum):
    """Which time `since` and `until` are compared with."""

    ARRIVAL = "arrival"  # of the last image
    STUDY = "study"  # the study's date, by the day


@dataclass(frozen=True)
class StudyQuery:
    """What is asked for; everything that is given must hold. Never write it into a log."""

    text: str = field(default="", repr=False)
    """Words that all occur in name, Patient ID, accession number, scanner, UID or id of the job."""
    by_label: bool = True
    """False: only UID and id are searched, for who may not see names (`service.naming`)."""
    uids: frozenset[str] = frozenset()
    """Only these studies; empty: all."""
    states: frozenset[str] = frozenset()
    """`JobState`s of the newest revision's job, and `ARRIVING`; empty: all."""
    since: datetime | None = None
    """Aware; this moment or later."""
    until: datetime | None = None
    """Aware; before this moment, and of study dates up to its day."""
    dated_by: DatedBy = DatedBy.ARRIVAL
    flag: Flag | None = None
    sort: Sort = Sort.ARRIVAL
    limit: int = 50
    """1 to `MOST`."""
    cursor: str | None = None
    """`Page.next` of the page before, with the other values as they were there."""


@dataclass(frozen=True)
class ListedStudy:
    """A study with the newest revision's job, its summary and what names it to people."""

    study: Study
    job: Job | None
    summary: Mapping[str, Any] | None = field(repr=False)
    label: StudyLabel | None


@dataclass(frozen=True)
class Page:
    """Part of the list."""

    studies: tuple[ListedStudy, ...]
    next: str | None
    """Cursor of what follows; None at the end. It holds a place and no name."""


class StudyListing(Records):
    """The list of studies."""

    @reads
    def listed(self, tx: Transaction, query: StudyQuery) -> Page:
        """Return one page, by one statement; labels are as kept, not masked.

        Raises:
            CursorInvalid: the cursor is none of this order's.

        """
        limit = min(max(1, query.limit), MOST)
        order = _ORDERS[query.sort]
        statement = _all().where(*_conditions(query))
        if query.cursor is not None:
            place = Place.read(query.cursor, query.sort)
            after = tuple_(*place.bound())
            statement = statement.where(tuple_(order, studies.c.uid) < after)
        statement = statement.order_by(order.desc(), studies.c.uid.desc()).limit(limit + 1)
        statement = statement.add_columns(order.label("place"))
        rows = tx.connection.execute(statement).all()
        found = tuple(_listed(row) for row in rows[:limit])
        if len(rows) <= limit:
            return Page(found, None)
        last = rows[limit - 1]
        return Page(found, Place(query.sort, last.place, found[-1].study.uid).cursor())

    @reads
    def study_states(self, tx: Transaction) -> dict[str, int]:
        """Return how many studies are in each state that `StudyQuery.states` may name."""
        newest = and_(jobs.c.study_uid == studies.c.uid, jobs.c.revision == studies.c.revision)
        query = select(jobs.c.state, func.count()).select_from(studies.outerjoin(jobs, newest))
        rows = tx.connection.execute(query.group_by(jobs.c.state))
        found = {state or ARRIVING: n for state, n in rows}
        return {name: found.get(name, 0) for name in (ARRIVING, *map(str, JobState))}


# What has no date or no number comes last.
_ORDERS: dict[Sort, ColumnElement[Any]] = {
    Sort.ARRIVAL: studies.c.last_received_at,
    Sort.STUDY_DATE: func.coalesce(study_labels.c.study_date, ""),
    Sort.TDV: func.coalesce(headlines.c.tdv_ml, -1.0),
}
_FLAGS: dict[Flag, ColumnElement[bool]] = {
    Flag.PARTIAL: headlines.c.partial,
    Flag.WARNING: headlines.c.warned,
    Flag.BEYOND_LIMIT: headlines.c.beyond_limit,
}
_PARTS = (studies, jobs, study_labels)


def _all() -> Select[Any]:
    """Each study once, with the job of its last closing."""
    named = [column.label(f"{t.name}__{column.name}") for t in _PARTS for column in t.columns]
    newest = and_(jobs.c.study_uid == studies.c.uid, jobs.c.revision == studies.c.revision)
    tables = (
        studies.outerjoin(jobs, newest)
        .outerjoin(headlines, headlines.c.job_id == jobs.c.id)
        .outerjoin(summaries, summaries.c.job_id == jobs.c.id)
        .outerjoin(study_labels, study_labels.c.study_uid == studies.c.uid)
    )
    return select(*named, summaries.c.document).select_from(tables)


def _conditions(query: StudyQuery) -> list[ColumnElement[bool]]:
    words = folded(query.text).split()[:_WORDS]
    given = [_has(word, by_label=query.by_label) for word in words]
    if query.uids:
        given.append(studies.c.uid.in_(sorted(query.uids)))
    if query.states:
        states = sorted(JobState(state) for state in query.states if state != ARRIVING)
        arriving = [jobs.c.id.is_(None)] if ARRIVING in query.states else []
        given.append(or_(jobs.c.state.in_(states), *arriving))
    if query.flag is not None:
        given.append(_FLAGS[query.flag])
    given.extend(_times(query))
    return given


def _has(word: str, *, by_label: bool) -> ColumnElement[bool]:
    labels = [study_labels.c.sought] if by_label else []
    places = [*labels, studies.c.uid, jobs.c.id]
    return or_(*(place.contains(word, autoescape=True) for place in places))


def _times(query: StudyQuery) -> list[ColumnElement[bool]]:
    since, until = query.since, query.until
    if query.dated_by is DatedBy.STUDY:
        at: ColumnElement[Any] = study_labels.c.study_date
        low = [at >= _day(since)] if since else []
        return low + ([at <= _day(until), at != ""] if until else [])
    at = studies.c.last_received_at
    low = [at >= utc(since)] if since else []
    return low + ([at < utc(until)] if until else [])


def _day(at: datetime) -> str:
    return f"{at.year:04d}{at:%m%d}"


def _listed(row: Row[Any]) -> ListedStudy:
    study, job, label = (_part(row, table.name) for table in _PARTS)
    return ListedStudy(
        study=to_study(study),
        job=None if job["id"] is None else to_job(job),
        summary=row.document,
        label=None if label["study_uid"] is None else to_label(label),
    )


def _part(row: Row[Any], table: str) -> Any:  # noqa: ANN401 - a mapping as rows give it
    start = f"{table}__"
    found = row._mapping.items()  # noqa: SLF001 - SQLAlchemy's documented way
    return {name.removeprefix(start): value for name, value in found if name.startswith(start)}
