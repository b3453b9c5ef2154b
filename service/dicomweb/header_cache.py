"""Headers of studies and series, kept on disk so that a search opens no file twice.

Made of the spool and the results alone: it may be deleted at any time and is in no backup. It
holds names of patients as the spool does, and is readable to our user only.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import tempfile
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

_LOG = logging.getLogger(__name__)
_VERSION = 1
_TABLES = """
PRAGMA journal_mode = TRUNCATE;
CREATE TABLE studies (
    uid TEXT PRIMARY KEY, n_instances INTEGER NOT NULL,
    date TEXT NOT NULL, time TEXT NOT NULL, document TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX studies_by_date ON studies (date DESC, time DESC, uid DESC);
CREATE TABLE series (
    study_uid TEXT NOT NULL, uid TEXT NOT NULL, modality TEXT NOT NULL, document TEXT NOT NULL,
    PRIMARY KEY (study_uid, uid)
) WITHOUT ROWID;
CREATE TABLE mark (newest_result INTEGER NOT NULL);
INSERT INTO mark VALUES (0);
"""
_PART = 500
_DATE, _TIME, _MODALITY = "00080020", "00080030", "00080060"


@dataclass(frozen=True)
class Narrowing:
    """What SQL can leave out before documents are compared; () and "": nothing."""

    study_uids: tuple[str, ...] = ()
    dates: tuple[str, str] | None = None
    modality: str = ""
    """With * and ?."""


@dataclass(frozen=True)
class SeriesHeader:
    """What is kept of a series."""

    study_uid: str
    series_uid: str
    document: Mapping[str, Any]


class HeaderCache:
    """A file in `folder`, or in a temporary folder where that cannot be written."""

    def __init__(self, folder: Path) -> None:
        """Open the file, or begin a new one where there is none of this version."""
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._path = _prepared(folder)
        except (OSError, sqlite3.Error):
            told = {"event": "cache_temporary", "code": "CACHE_TEMPORARY"}
            text = "headers are kept until this process ends only: %s cannot be written"
            _LOG.warning(text, folder, extra=told)
            self._temporary = tempfile.TemporaryDirectory(prefix="osteon-headers-")
            self._path = _prepared(Path(self._temporary.name))

    def close(self) -> None:
        """Remove what was temporary."""
        if self._temporary is not None:
            self._temporary.cleanup()

    def known(self) -> dict[str, int]:
        """Return the studies that were read, with how many instances they had then."""
        with self._open() as database:
            return dict(database.execute("SELECT uid, n_instances FROM studies"))

    def newest_result(self) -> int:
        """Return up to which result everything was read."""
        with self._open() as database:
            return int(database.execute("SELECT newest_result FROM mark").fetchone()[0])

    def keep_mark(self, newest_result: int) -> None:
        """Note up to which result everything was read."""
        with self._open() as database:
            database.execute("UPDATE mark SET newest_result = ?", (newest_result,))

    def keep(
        self,
        studies: Mapping[str, int],
        documents: Mapping[str, Any],
        series: Sequence[SeriesHeader],
    ) -> None:
        """Keep studies with their number of instances, new documents of them, and new series."""
        with self._open() as database:
            database.executemany(_KEEP_COUNT, studies.items())
            database.executemany(_KEEP_STUDY, [_study_row(*pair) for pair in documents.items()])
            database.executemany(
                "INSERT OR REPLACE INTO series VALUES (?, ?, ?, ?)", map(_series_row, series)
            )

    def forget(self, study_uids: Collection[str]) -> None:
        """Drop studies that are held no more."""
        rows = [(uid,) for uid in study_uids]
        with self._open() as database:
            database.executemany("DELETE FROM studies WHERE uid = ?", rows)
            database.executemany("DELETE FROM series WHERE study_uid = ?", rows)

    def studies(self, narrowing: Narrowing) -> Iterator[tuple[str, str]]:
        """Yield UID and document (JSON) of studies, the latest first."""
        where, values = _narrowed(narrowing)
        query = f"SELECT uid, document FROM studies WHERE {where}"  # noqa: S608 - our own text
        with self._open() as database:
            rows = database.execute(f"{query} ORDER BY date DESC, time DESC, uid DESC", values)
            while part := rows.fetchmany(_PART):
                yield from part

    def study_documents(self, study_uids: Collection[str]) -> dict[str, dict[str, Any]]:
        """Return the documents of studies."""
        found = self._of("SELECT uid, document FROM studies WHERE uid", study_uids)
        return {uid: json.loads(document) for uid, document in found}

    def series(self, study_uids: Collection[str]) -> dict[tuple[str, str], dict[str, Any]]:
        """Return the documents of the series of studies, by study and series."""
        query = "SELECT study_uid, uid, document FROM series WHERE study_uid"
        found = self._of(query, study_uids)
        return {(study, uid): json.loads(document) for study, uid, document in found}

    def _of(self, query: str, uids: Collection[str]) -> list[tuple[str, ...]]:
        found: list[tuple[str, ...]] = []
        listed = sorted(uids)
        with self._open() as database:
            for start in range(0, len(listed), _PART):
                part = listed[start : start + _PART]
                places = ",".join("?" * len(part))
                found += database.execute(f"{query} IN ({places})", part).fetchall()
        return found

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path, timeout=30)) as database, database:
            yield database


_KEEP_COUNT = """
INSERT INTO studies VALUES (?, ?, '', '', '{}')
ON CONFLICT (uid) DO UPDATE SET n_instances = excluded.n_instances
"""
_KEEP_STUDY = "UPDATE studies SET date = ?, time = ?, document = ? WHERE uid = ?"


def _prepared(folder: Path) -> Path:
    path = folder / f"headers-{_VERSION}.sqlite"
    if path.exists():
        with closing(sqlite3.connect(path, timeout=30)) as database, database:
            database.execute("UPDATE mark SET newest_result = newest_result")  # may we write?
        return path
    unfinished = folder / f".{os.getpid()}-{path.name}"
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600)
    with closing(sqlite3.connect(unfinished)) as database:
        database.executescript(_TABLES)
    unfinished.rename(path)
    return path


def _narrowed(narrowing: Narrowing) -> tuple[str, list[str]]:
    conditions = ["TRUE"]
    values: list[str] = []
    if narrowing.study_uids:
        conditions.append(f"uid IN ({','.join('?' * len(narrowing.study_uids))})")
        values += narrowing.study_uids
    if narrowing.dates is not None:
        conditions.append("date BETWEEN ? AND ?")
        values += narrowing.dates
    if narrowing.modality:
        series = "SELECT study_uid FROM series WHERE modality GLOB ?"
        conditions.append(f"uid IN ({series})")
        values.append(narrowing.modality.replace("[", "[[]"))
    return " AND ".join(conditions), values


def _study_row(uid: str, document: Mapping[str, Any]) -> tuple[str, str, str, str]:
    texts = first_text(document, _DATE), first_text(document, _TIME)
    return *texts, json.dumps(document), uid


def _series_row(header: SeriesHeader) -> tuple[str, str, str, str]:
    modality = first_text(header.document, _MODALITY)
    return header.study_uid, header.series_uid, modality, json.dumps(header.document)


def first_text(document: Mapping[str, Any], tag: str) -> str:
    """Return an attribute's first value as text, "" where there is none."""
    values = document.get(tag, {}).get("Value") or ("",)
    return "" if values[0] is None else str(values[0])
