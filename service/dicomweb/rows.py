"""What a search finds: studies, their series, their objects, each with what its headers say."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from service.dicomweb.attributes import ATTRIBUTES, Level
from service.dicomweb.files import EXPLICIT_LE
from service.dicomweb.header_cache import Narrowing, first_text
from service.dicomweb.refusals import too_much

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from jobs.holdings import HeldObject, HeldSeries
    from service.dicomweb.catalogue import Catalogue
    from service.dicomweb.matching import Condition
    from service.dicomweb.query import Search

_T = TypeVar("_T")
_STUDIES_AT_ONCE = 50
_MOST_OPENED = 10_000
_MODALITY, _STUDY_DATE, _SERIES_NUMBER = "00080060", "00080020", "00200011"
STUDY_UID, SERIES_UID, SOP_UID, SOP_CLASS = "0020000D", "0020000E", "00080018", "00080016"
MODALITIES = "00080061"
_NOT_OF_HEADERS = frozenset((SOP_UID, SOP_CLASS))

Document = dict[str, Any]
"""Attributes in the DICOM JSON model."""


@dataclass(frozen=True)
class Scope:
    """What the address of the search names."""

    study_uid: str | None = None
    series_uid: str | None = None


@dataclass(frozen=True)
class StudyRow:
    """A study that fits."""

    uid: str
    document: Document = field(repr=False)
    series: tuple[tuple[HeldSeries, Document], ...] = field(repr=False)

    @property
    def n_instances(self) -> int:
        """Of all its series."""
        return sum(held.n_instances for held, _ in self.series)


@dataclass(frozen=True)
class SeriesRow:
    """A series that fits, of a study that fits."""

    study: StudyRow
    held: HeldSeries
    document: Document = field(repr=False)


@dataclass(frozen=True)
class InstanceRow:
    """An object that fits, of a series that fits."""

    series: SeriesRow
    held: HeldObject
    document: Document = field(repr=False)


def find_studies(catalogue: Catalogue, search: Search, scope: Scope) -> Iterator[StudyRow]:
    """Yield the studies that fit, the latest first."""
    conditions = search.at(Level.STUDY)
    for part in _parts(_candidates(catalogue, search, scope), _STUDIES_AT_ONCE):
        for row in _with_series(catalogue, part):
            if _fits(row.document, conditions):
                yield row


def find_series(catalogue: Catalogue, search: Search, scope: Scope) -> Iterator[SeriesRow]:
    """Yield the series that fit."""
    conditions = search.at(Level.SERIES)
    for study in find_studies(catalogue, search, scope):
        for held, document in study.series:
            if scope.series_uid in (None, held.series_uid) and _fits(document, conditions):
                yield SeriesRow(study, held, document)


def find_instances(catalogue: Catalogue, search: Search, scope: Scope) -> Iterator[InstanceRow]:
    """Yield the objects that fit; their headers are read only where one is compared.

    Raises:
        Refused: too many headers would have to be read.

    """
    opened = 0
    conditions = search.at(Level.INSTANCE)
    of_headers = [c for c in conditions if c.path[0] not in _NOT_OF_HEADERS]
    of_record = [c for c in conditions if c.path[0] in _NOT_OF_HEADERS]
    for series in find_series(catalogue, search, scope):
        rows = [row for row in _objects(catalogue, series) if _fits(row.document, of_record)]
        if not any(not condition.is_universal for condition in of_headers):
            yield from rows
            continue
        opened += len(rows)
        if opened > _MOST_OPENED:
            text = f"more than {_MOST_OPENED} headers would be read: name a study or a series"
            raise too_much(text)
        read = with_headers(catalogue, rows)
        yield from (row for row in read if _fits(row.document, of_headers))


def with_headers(catalogue: Catalogue, rows: Sequence[InstanceRow]) -> list[InstanceRow]:
    """Add what the headers of objects say; nothing where one cannot be read."""
    models = catalogue.headers([row.held for row in rows], ATTRIBUTES[Level.INSTANCE].read)
    return [
        InstanceRow(row.series, row.held, model | row.document)
        for row, model in zip(rows, models, strict=True)
    ]


def _candidates(
    catalogue: Catalogue, search: Search, scope: Scope
) -> Iterator[tuple[str, Document]]:
    """Yield studies that may fit: what SQL knows is compared, the rest not yet."""
    narrowing = _narrowing(search, scope)
    conditions = [c for c in search.at(Level.STUDY) if c.path[0] != MODALITIES]
    for uid, text in catalogue.cache.studies(narrowing):
        document = json.loads(text) | {STUDY_UID: _value("UI", uid)}
        if _fits(document, conditions):
            yield uid, document


def _narrowing(search: Search, scope: Scope) -> Narrowing:
    given = {c.path[0]: c for c in search.at(Level.STUDY) if not c.is_universal}
    uids = given[STUDY_UID].parts if STUDY_UID in given else ()
    if scope.study_uid is not None:
        uids = (scope.study_uid,)
    dates = given[_STUDY_DATE].parts if _STUDY_DATE in given else None
    modality = given[MODALITIES].wanted if MODALITIES in given else ""
    return Narrowing(uids, (dates[0], dates[1]) if dates else None, modality)


def _with_series(
    catalogue: Catalogue, studies: Sequence[tuple[str, Document]]
) -> Iterator[StudyRow]:
    uids = [uid for uid, _ in studies]
    headers = catalogue.cache.series(uids)
    held: dict[str, list[tuple[HeldSeries, Document]]] = defaultdict(list)
    for one in catalogue.site.store.held_series(uids):
        key = (one.study_uid, one.series_uid)
        document = headers.get(key, {}) | {SERIES_UID: _value("UI", one.series_uid)}
        held[one.study_uid].append((one, document))
    for uid, document in studies:
        series = tuple(sorted(held[uid], key=_place))
        modalities = sorted({first_text(d, _MODALITY) for _, d in series} - {""})
        if series:
            yield StudyRow(uid, document | {MODALITIES: _value("CS", *modalities)}, series)


def _place(series: tuple[HeldSeries, Document]) -> tuple[float, str]:
    """Return a series' place in its study: by its number, where it has one."""
    number = first_text(series[1], _SERIES_NUMBER)
    whole = number.isascii() and number.removeprefix("-").isdecimal()
    return float(number) if whole else math.inf, series[0].series_uid


def _objects(catalogue: Catalogue, series: SeriesRow) -> Iterator[InstanceRow]:
    uids = series.held.study_uid, series.held.series_uid
    for held in catalogue.site.store.held_objects(*uids):
        document = {
            SOP_CLASS: _value("UI", held.sop_class_uid),
            SOP_UID: _value("UI", held.sop_instance_uid),
            "00083002": _value("UI", held.transfer_syntax_uid or EXPLICIT_LE),
        }
        yield InstanceRow(series, held, document)


def _value(vr: str, *values: str) -> Document:
    return {"vr": vr, "Value": list(values)} if values else {"vr": vr}


def _fits(document: Document, conditions: Iterable[Condition]) -> bool:
    return all(condition.fits(document) for condition in conditions)


def _parts(items: Iterator[_T], size: int) -> Iterator[list[_T]]:
    while part := list(islice(items, size)):
        yield part
