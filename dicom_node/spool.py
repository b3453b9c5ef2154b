"""The spool: every accepted instance as a file, and the record of what was accepted.

    <root>/incoming/<random>                             being written; swept by the next writer
    <root>/studies/<2 hex>/<study hash>/<instance hash>.dcm   accepted: durable before the answer
    <root>/conflicts/<instance hash>.<digest>.dcm        other bytes under a UID that is taken
    <root>/writer.lock                                   held by the one process that writes

A hash is the first 32 hex digits of the SHA-256 of the UID, so nothing that a sender wrote ever
becomes part of a path. Order of a write: write, fsync, rename, fsync of the directory, return
(reliability.md B1 rows 15 and 16). Hence a file under its final name is whole, whatever happens,
and a failure leaves none.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import threading
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from dicom_node.durable import Folders, file_system_errors, sync_folder, write_file
from dicom_node.errors import DicomNodeError, SpoolBusy, SpoolFull
from dicom_node.header import read_header
from dicom_node.part10 import file_prefix, parse_meta
from jobs.study import Instance

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

    from dicom_node.header import InstanceHeader

DEFAULT_FLOOR_BYTES = 1024**3
_LOCKS = 64


class Outcome(StrEnum):
    """What storing an instance came to. All three are durable when they are returned."""

    NEW = "new"
    DUPLICATE = "duplicate"
    """The same bytes were there; nothing was written."""
    CONFLICT = "conflict"
    """Other bytes were there under this SOP Instance UID; they stay, these are in conflicts/."""


@dataclass(frozen=True)
class Stored:
    """What was stored, and where."""

    instance: Instance
    outcome: Outcome


class Spool:
    """The files under `root`. Many may read; one process, after `claim`, may write."""

    def __init__(self, root: Path, *, floor_bytes: int = DEFAULT_FLOOR_BYTES) -> None:
        """Use the folder `root`; refuse to write when less than `floor_bytes` would stay free."""
        root = root.absolute()
        self.root = root
        self._floor_bytes = floor_bytes
        self._folders = Folders(root)
        self._incoming = root / "incoming"
        self._studies = root / "studies"
        self._conflicts = root / "conflicts"
        self._places: dict[str, Path] | None = None  # instance hash → file, of the writer
        self._place_lock = threading.Lock()
        self._locks = tuple(threading.Lock() for _ in range(_LOCKS))

    @contextmanager
    def claim(self) -> Iterator[None]:
        """Become the writer: lock out other processes, sweep what an earlier one left half done.

        Raises `SpoolBusy` while another process writes here.
        """
        with file_system_errors():
            self._folders.ensure(self.root)
        with (self.root / "writer.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                message = f"another process already writes to the spool {self.root}; stop it first"
                raise SpoolBusy(message) from None
            for left_over in self._incoming.glob("*"):
                left_over.unlink()
            yield

    def store(self, header: InstanceHeader, data_set: bytes) -> Stored:
        """Make one instance durable, or raise `SpoolError` and leave nothing behind.

        `data_set` is kept byte for byte; its SHA-256 and size are those in the `Instance`.
        """
        digest = hashlib.sha256(data_set).hexdigest()
        name = _hash(header.sop_instance_uid)
        with self._locks[int(name[:8], 16) % _LOCKS], file_system_errors():
            self._require_space(len(data_set))
            kept = self._kept(name)
            if kept is None:
                path, outcome = self._place(name, header.study_uid), Outcome.NEW
                self._write(path, header, data_set)
            elif _contents(kept) == (header.transfer_syntax_uid, digest):
                path, outcome = kept, Outcome.DUPLICATE
                # A crash between rename and fsync of the directory leaves an unconfirmed name.
                sync_folder(path.parent)
            else:
                path, outcome = self._conflicts / f"{name}.{digest[:16]}.dcm", Outcome.CONFLICT
                self._write(path, header, data_set)
        found = _Found(header, digest, len(data_set), datetime.now(UTC))
        return Stored(self._instance(path, found), outcome)

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
        for path in self._files():
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

    def free_bytes(self) -> int:
        """Return what an ordinary user may still write on the spool's file system."""
        existing = self.root if self.root.exists() else self.root.parent
        status = os.statvfs(existing)
        return status.f_bavail * status.f_frsize

    def _require_space(self, size: int) -> None:
        if self.free_bytes() - size < self._floor_bytes:
            message = f"less than {self._floor_bytes} bytes would stay free for the spool"
            raise SpoolFull(message)

    def _files(self) -> Iterator[Path]:
        yield from sorted(self._studies.glob("*/*/*.dcm"))

    def _study_folder(self, study_uid: str) -> Path:
        name = _hash(study_uid)
        return self._studies / name[:2] / name

    def _kept(self, name: str) -> Path | None:
        """Return the file that holds this instance, in whatever study it arrived."""
        with self._place_lock:
            if self._places is None:
                self._places = {path.stem: path for path in self._files()}
            path = self._places.get(name)
        return path if path is not None and path.exists() else None

    def _place(self, name: str, study_uid: str) -> Path:
        path = self._study_folder(study_uid) / f"{name}.dcm"
        with self._place_lock:
            if self._places is not None:
                self._places[name] = path
        return path

    def _write(self, final: Path, header: InstanceHeader, data_set: bytes) -> None:
        self._folders.ensure(self._incoming)
        self._folders.ensure(final.parent)
        write_file(self._incoming / uuid.uuid4().hex, final, (file_prefix(header), data_set))

    def _read(self, path: Path) -> Instance:
        content = path.read_bytes()
        meta = parse_meta(content)
        data_set = content[meta.offset :]
        header = read_header(data_set, meta.transfer_syntax_uid)
        received_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        digest = hashlib.sha256(data_set).hexdigest()
        return self._instance(path, _Found(header, digest, len(data_set), received_at))

    def _instance(self, path: Path, found: _Found) -> Instance:
        return Instance(
            sop_instance_uid=found.header.sop_instance_uid,
            study_uid=found.header.study_uid,
            series_uid=found.header.series_uid,
            sop_class_uid=found.header.sop_class_uid,
            transfer_syntax_uid=found.header.transfer_syntax_uid,
            sha256=found.sha256,
            size=found.size,
            path=str(path.relative_to(self.root)),
            received_at=found.received_at,
        )


@dataclass(frozen=True)
class _Found:
    header: InstanceHeader
    sha256: str
    size: int
    received_at: datetime


def _hash(uid: str) -> str:
    return hashlib.sha256(uid.encode("ascii")).hexdigest()[:32]


def _contents(path: Path) -> tuple[str, str]:
    """Return transfer syntax and SHA-256 of the data set in a file of the spool."""
    content = path.read_bytes()
    meta = parse_meta(content)
    return meta.transfer_syntax_uid, hashlib.sha256(content[meta.offset :]).hexdigest()
