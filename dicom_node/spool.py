"""The spool: every accepted instance as a file, and the record of what was accepted.

    <root>/incoming/<random>                             being written; swept by the next writer
    <root>/incoming/<writer>/<random>                    the same where several nodes share a spool
    <root>/studies/<2 hex>/<study hash>/<instance hash>.dcm   accepted: durable before the answer
    <root>/conflicts/<instance hash>.<digest>.dcm        other bytes under a UID that is taken
    <root>/writer.lock                                   held by the one process that writes, or by
                                                         all that share it

A hash is the first 32 hex digits of the SHA-256 of the UID, so nothing that a sender wrote ever
becomes part of a path. Order of a write: write, fsync, rename, fsync of the directory, return
(reliability.md B1 rows 15 and 16). Hence a file under its final name is whole, whatever happens,
and a failure leaves none.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import threading
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from dicom_node.accepted import AcceptedFiles, Found, hash_of
from dicom_node.durable import Draft, Folders, file_system_errors, sync_folder, write_file
from dicom_node.errors import SpoolBusy, SpoolError, SpoolFull
from dicom_node.growing import Growing
from dicom_node.part10 import file_prefix, read_meta
from dicom_node.writers import writers_folder
from jobs.fault_points import fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dicom_node.growing import Source
    from dicom_node.header import InstanceHeader
    from dicom_node.uid import Uid
    from jobs.study import Instance

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
    synced_s: float
    """Seconds that the file system took to make it durable."""


class Spool(AcceptedFiles):
    """The files under `root`. Many may read; a process may write after `claim`."""

    def __init__(
        self, root: Path, *, floor_bytes: int = DEFAULT_FLOOR_BYTES, shared: bool = False
    ) -> None:
        """Use the folder `root`; refuse to write when less than `floor_bytes` would stay free.

        A `shared` spool has several writers, on one host or many, with one database.
        """
        super().__init__(root)
        root = self.root
        self.shared = shared
        self._floor_bytes = floor_bytes
        self._folders = Folders(root)
        self._incoming = root / "incoming"
        self._conflicts = root / "conflicts"
        self._places: dict[str, Path] | None = None  # instance hash → its study's folder
        self._place_lock = threading.Lock()
        self._locks = tuple(threading.Lock() for _ in range(_LOCKS))

    @contextmanager
    def claim(self) -> Iterator[None]:
        """Become a writer: lock out who may not share, sweep what a dead one left half done.

        Raises `SpoolBusy` while a process writes here that does not share, or we do not.
        """
        with file_system_errors():
            self._folders.ensure(self.root)
        with (self.root / "writer.lock").open("w") as lock:
            try:
                fcntl.flock(lock, (fcntl.LOCK_SH if self.shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
            except BlockingIOError:
                message = f"another process already writes to the spool {self.root}; stop it first"
                raise SpoolBusy(message) from None
            with self._place_for_incoming() as folder:
                self._incoming = folder
                yield

    @contextmanager
    def _place_for_incoming(self) -> Iterator[Path]:
        if self.shared:
            with writers_folder(self.root) as folder:
                yield folder
            return
        incoming = self.root / "incoming"
        for left_over in incoming.glob("*"):
            if left_over.is_dir():  # of a time when the spool was shared
                shutil.rmtree(left_over)
            else:
                left_over.unlink()
        yield incoming

    def store(self, header: InstanceHeader, data_set: bytes | bytearray) -> Stored:
        """Make one instance durable, or raise `SpoolError` and leave nothing behind.

        `data_set` is kept byte for byte; its SHA-256 and size are those in the `Instance`.
        """
        uids = header.sop_class_uid, header.sop_instance_uid, header.transfer_syntax_uid
        return self._store(header, _InMemory(self._new_path, file_prefix(*uids), data_set))

    def begin(self, sop_class_uid: Uid, sop_instance_uid: Uid, transfer_syntax_uid: Uid) -> Growing:
        """Begin an instance that is written as it comes; raises `SpoolError`."""
        prefix = file_prefix(sop_class_uid, sop_instance_uid, transfer_syntax_uid)
        with file_system_errors():
            self._require_space(0)
            draft = Draft(self._new_path())
        try:
            return Growing(draft, prefix, self._require_space)
        except SpoolError:
            draft.discard()
            raise

    def keep(self, header: InstanceHeader, whole: Growing) -> Stored:
        """Do what `store` does with what was written as it came."""
        try:
            return self._store(header, whole)
        finally:
            whole.discard()

    def _store(self, header: InstanceHeader, source: Source) -> Stored:
        name = hash_of(header.sop_instance_uid)
        fault("spool.digested")
        with self._locks[int(name[:8], 16) % _LOCKS], file_system_errors():
            self._require_space(source.unwritten)
            try:
                path, outcome, synced_s = self._keep(name, header, source)
            except FileExistsError:  # another node had it at the same moment: look again
                path, outcome, synced_s = self._keep(name, header, source)
        found = Found(header, source.sha256, source.size, datetime.now(UTC))
        fault("spool.kept")
        return Stored(self._instance(path, found), outcome, synced_s)

    def _keep(
        self, name: str, header: InstanceHeader, source: Source
    ) -> tuple[Path, Outcome, float]:
        folder = self._study_folder(header.study_uid)
        path = folder / f"{name}.dcm"
        kept = self._kept(name, path)
        if kept is None:
            self._folders.ensure(folder)
            synced_s = source.place(path, once=self.shared)
            self._remember(name, folder)
            return path, Outcome.NEW, synced_s
        if _contents(kept) == (header.transfer_syntax_uid, source.sha256):
            # A crash between rename and fsync of the directory leaves an unconfirmed name.
            return kept, Outcome.DUPLICATE, sync_folder(kept.parent)
        path = self._conflicts / f"{name}.{source.sha256[:16]}.dcm"
        self._folders.ensure(self._conflicts)
        return path, Outcome.CONFLICT, source.place(path)

    def free_bytes(self) -> int:
        """Return what an ordinary user may still write on the spool's file system."""
        try:
            status = os.statvfs(self.root)
        except FileNotFoundError:
            status = os.statvfs(self.root.parent)
        return status.f_bavail * status.f_frsize

    def has_room(self) -> bool:
        """Tell whether more than the floor is free; False also where nobody can tell."""
        try:
            return self.free_bytes() >= self._floor_bytes
        except OSError:
            return False

    def _require_space(self, size: int) -> None:
        if self.free_bytes() - size < self._floor_bytes:
            message = f"less than {self._floor_bytes} bytes would stay free for the spool"
            raise SpoolFull(message)

    def _kept(self, name: str, path: Path) -> Path | None:
        """Return the file that holds this instance: `path`, or one of another study.

        Of other nodes at a shared spool only what is in this study is seen; an instance that came
        to two studies through two nodes stays with the one that the database has first.
        """
        if path.exists():
            return path
        with self._place_lock:
            if self._places is None:
                self._places = {path.stem: path.parent for path in self._files()}
            folder = self._places.get(name)
        if folder is None:
            return None
        elsewhere = folder / path.name
        return elsewhere if elsewhere.exists() else None

    def _remember(self, name: str, folder: Path) -> None:
        with self._place_lock:
            if self._places is not None:
                self._places[name] = folder

    def _new_path(self) -> Path:
        self._folders.ensure(self._incoming)
        return self._incoming / uuid.uuid4().hex


class _InMemory:
    """An instance that is written when it is known that it is new here."""

    def __init__(
        self, new_path: Callable[[], Path], prefix: bytes, data_set: bytes | bytearray
    ) -> None:
        self._new_path = new_path
        self._parts = prefix, data_set
        self.sha256 = hashlib.sha256(data_set).hexdigest()
        self.size = self.unwritten = len(data_set)

    def place(self, final: Path, *, once: bool = False) -> float:
        return write_file(self._new_path(), final, self._parts, once=once)


def _contents(path: Path) -> tuple[str, str]:
    """Return transfer syntax and SHA-256 of the data set in a file of the spool."""
    meta = read_meta(path)
    with path.open("rb") as file:
        file.seek(meta.offset)
        return meta.transfer_syntax_uid, hashlib.file_digest(file, "sha256").hexdigest()
