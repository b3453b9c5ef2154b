"""What a search answers: the attributes of each row that PS3.18 10.6.3.3 asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.dicomweb.attributes import Level
from service.dicomweb.query import shown_tags
from service.dicomweb.rows import (
    MODALITIES,
    SERIES_UID,
    SOP_CLASS,
    SOP_UID,
    STUDY_UID,
    InstanceRow,
    SeriesRow,
    StudyRow,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from service.dicomweb.query import Search
    from service.dicomweb.rows import Document, Scope

_CHARACTER_SET = {"00080005": {"vr": "CS", "Value": ["ISO_IR 192"]}}
_ONLINE = {"00080056": {"vr": "CS", "Value": ["ONLINE"]}}


@dataclass(frozen=True)
class Answers:
    """Makes the answers of one search."""

    search: Search
    scope: Scope
    root: str
    """Address of the service, for Retrieve URL."""

    def of(self, row: StudyRow | SeriesRow | InstanceRow) -> Document:
        """Return a row in the JSON model, by tag."""
        match row:
            case StudyRow():
                told = self._study(row)
            case SeriesRow():
                told = self._series(row)
            case InstanceRow():
                told = self._instance(row)
        return dict(sorted((_CHARACTER_SET | told).items()))

    def _study(self, row: StudyRow) -> Document:
        uid = {STUDY_UID: _value("UI", row.uid)}
        if self.search.level is not Level.STUDY and self.scope.study_uid is not None:
            return self._asked(row.document, Level.STUDY) | uid
        counted = {
            MODALITIES: row.document[MODALITIES],
            "00201206": _value("IS", len(row.series)),
            "00201208": _value("IS", row.n_instances),
            **_ONLINE,
            **_retrieve(f"{self.root}/studies/{row.uid}"),
        }
        return self._shown(row.document, Level.STUDY) | uid | counted

    def _series(self, row: SeriesRow) -> Document:
        above = self._study(row.study)
        uid = {SERIES_UID: _value("UI", row.held.series_uid)}
        if self.search.level is not Level.SERIES and self.scope.series_uid is not None:
            return above | self._asked(row.document, Level.SERIES) | uid
        counted = {
            "00201209": _value("IS", row.held.n_instances),
            **_retrieve(f"{self.root}/studies/{row.study.uid}/series/{row.held.series_uid}"),
        }
        return above | self._shown(row.document, Level.SERIES) | uid | counted

    def _instance(self, row: InstanceRow) -> Document:
        series = f"{self.root}/studies/{row.held.study_uid}/series/{row.held.series_uid}"
        counted = {
            SOP_CLASS: row.document[SOP_CLASS],
            SOP_UID: row.document[SOP_UID],
            "00083002": row.document["00083002"],
            **_ONLINE,
            **_retrieve(f"{series}/instances/{row.held.sop_instance_uid}"),
        }
        above = self._series(row.series)
        return above | self._shown(row.document, Level.INSTANCE) | counted

    def _shown(self, document: Document, level: Level) -> Document:
        """Return what is given of a level's headers, empty where they do not say it."""
        tags = shown_tags(self.search, level)
        return {tag: document.get(tag, {"vr": vr}) for tag, vr in tags.items()}

    def _asked(self, document: Document, level: Level) -> Document:
        """Return of a level that the address names only what includefield asks for."""
        tags = shown_tags(self.search, level).keys() & self.search.included
        return {tag: document[tag] for tag in tags if tag in document}


def _value(vr: str, *values: Any) -> Document:  # noqa: ANN401 - a value of JSON
    return {"vr": vr, "Value": list(values)}


def _retrieve(address: str) -> Document:
    return {"00081190": _value("UR", address)}


def warnings(search: Search, *, more: bool, complete: bool, root: str) -> Iterable[str]:
    """Yield the Warning headers of an answer (PS3.18 8.3.4.4)."""
    if search.fuzzy:
        yield (
            f'299 {root}: "The fuzzymatching parameter is not supported. Only literal matching '
            'has been performed."'
        )
    if more:
        yield (
            f'299 {root}: "The number of results exceeded the maximum supported by the server. '
            'Additional results can be requested."'
        )
    if not complete:
        yield f'299 {root}: "Some studies are not listed yet: ask again in a few seconds."'
