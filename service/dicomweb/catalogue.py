"""What is held, with the headers of its studies and series: the store's record and the cache."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from service.dicomweb.attributes import ATTRIBUTES, Level
from service.dicomweb.files import file_of
from service.dicomweb.header_cache import SeriesHeader
from service.dicomweb.refusals import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from jobs.holdings import HeldSeries
    from service.api.site import Site
    from service.dicomweb.files import Placed
    from service.dicomweb.header_cache import HeaderCache
    from service.dicomweb.reading import ObjectReader

_PATIENCE_S = 5.0
_AT_ONCE = 20  # studies whose headers are read before they are kept
_STUDY = ATTRIBUTES[Level.STUDY]
_KEYWORDS = tuple(dict.fromkeys((*_STUDY.read, *ATTRIBUTES[Level.SERIES].read)))


class Catalogue:
    """Keeps the cache up to date with the store: what is new is read when somebody searches."""

    def __init__(
        self, site: Site, cache: HeaderCache, reader: ObjectReader, patience_s: float = _PATIENCE_S
    ) -> None:
        """Read new headers for so long at most in one search; the next search goes on."""
        self.site = site
        self.cache = cache
        self.reader = reader
        self._patience_s = patience_s
        self._mark: object = None
        self._lock = threading.Lock()

    def refresh(self) -> bool:
        """Read the headers of what is new; return whether all of them are read now."""
        deadline = time.monotonic() + self._patience_s
        with self._lock:
            mark = self.site.store.holdings_mark()
            if mark == self._mark:
                return True
            for part in _parts(self._changed()):
                if time.monotonic() > deadline:
                    return False
                self._read(part)
            self.cache.keep_mark(mark.newest_result)
            self._mark = mark
            return True

    def refresh_study(self, study_uid: str) -> None:
        """Read the headers of one study's new series, whatever else waits."""
        with self._lock:
            self._read((study_uid,))

    def headers(self, placed: Sequence[Placed], keywords: Sequence[str]) -> list[dict[str, Any]]:
        """Return these attributes of each file; none of one that is gone or cannot be read."""
        paths = [self._path(one) for one in placed]
        readable = [path for path in paths if path is not None]
        models = dict(zip(readable, self.reader.attributes(readable, keywords), strict=True))
        return [(models[path] if path else None) or {} for path in paths]

    def _changed(self) -> list[str]:
        """Return the studies with new instances or results, the latest arrival first."""
        held, known = self.site.store.held_studies(), self.cache.known()
        self.cache.forget(known.keys() - held.keys())
        measured = self.site.store.studies_with_results(self.cache.newest_result())
        return [uid for uid, n in held.items() if known.get(uid) != n or uid in measured]

    def _read(self, study_uids: Sequence[str]) -> None:
        held = self.site.store.held_series(study_uids)
        known = self.cache.series(study_uids)
        unread = [one for one in held if (one.study_uid, one.series_uid) not in known]
        found = self.headers(unread, _KEYWORDS)
        counts = dict.fromkeys(study_uids, 0)
        for one in held:
            counts[one.study_uid] += 0 if one.made else one.n_instances
        told = list(zip(unread, found, strict=True))
        self.cache.keep(
            {uid: n for uid, n in counts.items() if any(one.study_uid == uid for one in held)},
            _study_documents(told, self.cache.study_documents(study_uids)),
            [_series_header(one, model) for one, model in told],
        )

    def _path(self, placed: Placed) -> Path | None:
        try:
            return file_of(self.site, placed)
        except Refused:
            return None


def _parts(uids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (uids[start : start + _AT_ONCE] for start in range(0, len(uids), _AT_ONCE))


def _study_documents(
    told: Sequence[tuple[HeldSeries, dict[str, Any]]], known: dict[str, dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Return of each study that has none yet what its first readable series says of it."""
    tags = {**_STUDY.required_tags, **_STUDY.optional_tags}
    found: dict[str, dict[str, Any]] = {}
    for one, model in sorted(told, key=lambda pair: pair[0].made):
        document = {tag: value for tag, value in model.items() if tag in tags}
        if document and not known.get(one.study_uid):
            found.setdefault(one.study_uid, document)
    return found


def _series_header(series: HeldSeries, model: dict[str, Any]) -> SeriesHeader:
    known = ATTRIBUTES[Level.SERIES]
    tags = {**known.required_tags, **known.optional_tags}
    document = {tag: value for tag, value in model.items() if tag in tags}
    return SeriesHeader(series.study_uid, series.series_uid, document)
