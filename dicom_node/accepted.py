"""The accepted instances of a spool, read from the files alone.

    <root>/studies/<2 hex>/<study hash>/<instance hash>.dcm

A hash is the first 32 hex digits of the SHA-256 of the UID, so nothing that a sender wrote ever
becomes part of a path.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from dicom_node.errors import DicomNodeError
from dicom_node.header import read_file_header
from dicom_node.part10 import read_meta
from jobs.study import Instance

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from pathlib import Path

    from dicom_node.header import InstanceHeader

_FOLDERS = 256
"""Of studies, whose paths are made once: a study has hundreds of images."""


@dataclass(frozen=True)
class Found:
    """What is known of one file."""

    header: InstanceHeader
    sha256: str
    size: int
    received_at: datetime


class AcceptedFiles:
    """The files under `root`, for reading."""

    def __init__(self, root: Path) -> None:
        """Use the folder `root`."""
        self.root = root.absolute()
        self._studies = self.root / "studies"
        self._root_length = len(str(self.root)) + 1
        self._study_folder = lru_cache(_FOLDERS)(self._make_study_folder)

    def instances(self, study_uid: str) -> tuple[Instance, ...]:
        """Return what is accepted of one study, read from the files, ordered by path."""
        folder = self._study_folder(study_uid)
        return tuple(self._read(path) for path in sorted(folder.glob("*.dcm")))

    def rescan(
        self,
        known: Collection[str] = frozenset(),
        on_unreadable: Callable[[Path, DicomNodeError], None] | None = None,
    ) -> Iterator[Instance]:
        """Yield every accepted instance from the files alone, but those with paths in `known`.

        A file that is not readable goes to `on_unreadable` (or raises) and stays where it is.
        """
        yield from self._scan(self._files(), known, on_unreadable)

    def rescan_study(
        self,
        study_uid: str,
        known: Collection[str],
        on_unreadable: Callable[[Path, DicomNodeError], None] | None = None,
    ) -> Iterator[Instance]:
        """Do what `rescan` does for one study."""
        files = sorted(self._study_folder(study_uid).glob("*.dcm"))
        yield from self._scan(files, known, on_unreadable)

    def _scan(
        self,
        files: Iterable[Path],
        known: Collection[str],
        on_unreadable: Callable[[Path, DicomNodeError], None] | None,
    ) -> Iterator[Instance]:
        for path in files:
            if str(path.relative_to(self.root)) in known:
                continue
            try:
                instance = self._read(path)
            except DicomNodeError as error:
                if on_unreadable is None:
                    raise
                on_unreadable(path, error)
                continue
            yield instance

    def path(self, instance: Instance) -> Path:
        """Return the file of an instance."""
        return self.root / instance.path

    def find(self, sop_instance_uids: Collection[str]) -> dict[str, Path]:
        """Return the file of each of these instances that is accepted, in whatever study.

        Looks at the studies that changed last first, and at no more than it needs.
        """
        wanted = {f"{hash_of(uid)}.dcm": uid for uid in sop_instance_uids}
        found: dict[str, Path] = {}
        folders = sorted(self._studies.glob("*/*"), key=_changed_at, reverse=True)
        for folder in folders:
            if len(found) == len(wanted):
                break
            for name in wanted.keys() & _names_in(folder):
                found.setdefault(wanted[name], folder / name)
        return found

    def disputed(self, sop_instance_uids: Collection[str]) -> frozenset[str]:
        """Return those of these instances under whose UID other bytes came too."""
        names = {name.partition(".")[0] for name in _names_in(self.root / "conflicts")}
        return frozenset(uid for uid in sop_instance_uids if hash_of(uid) in names)

    def _files(self) -> Iterator[Path]:
        yield from sorted(self._studies.glob("*/*/*.dcm"))

    def _make_study_folder(self, study_uid: str) -> Path:
        name = hash_of(study_uid)
        return self._studies / name[:2] / name

    def _read(self, path: Path) -> Instance:
        meta = read_meta(path)
        with path.open("rb") as file:
            header = read_file_header(file, meta.offset, meta.transfer_syntax_uid)
            file.seek(meta.offset)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            status = os.fstat(file.fileno())
        received_at = datetime.fromtimestamp(status.st_mtime, UTC)
        return self._instance(
            path, Found(header, digest, status.st_size - meta.offset, received_at)
        )

    def _instance(self, path: Path, found: Found) -> Instance:
        return Instance(
            sop_instance_uid=found.header.sop_instance_uid,
            study_uid=found.header.study_uid,
            series_uid=found.header.series_uid,
            sop_class_uid=found.header.sop_class_uid,
            transfer_syntax_uid=found.header.transfer_syntax_uid,
            sha256=found.sha256,
            size=found.size,
            path=str(path)[self._root_length :],
            received_at=found.received_at,
        )


def hash_of(uid: str) -> str:
    """Return what stands for a UID in paths."""
    return hashlib.sha256(uid.encode("ascii")).hexdigest()[:32]


def _changed_at(folder: Path) -> int:
    try:
        return folder.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def _names_in(folder: Path) -> set[str]:
    try:
        return {path.name for path in folder.iterdir()}
    except FileNotFoundError:
        return set()
