"""Files that survive a power cut once the call returns (reliability.md B1 rows 15 and 16)."""

from __future__ import annotations

import errno
import os
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from dicom_node.errors import SpoolFull, SpoolUnwritable
from jobs.fault_points import fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


class Folders:
    """Makes folders under `base`, each durable in the one above it."""

    def __init__(self, base: Path) -> None:
        """Trust no folder until this process has synced its parent: an earlier one may not have."""
        self._base = base
        self._durable: set[Path] = set()
        self._lock = threading.Lock()

    def ensure(self, folder: Path) -> None:
        """Return once `folder` exists durably. Threads that want the same folder wait for one."""
        if folder in self._durable and folder.is_dir():
            return
        with self._lock:
            self._ensure(folder)

    def _ensure(self, folder: Path) -> None:
        if folder in self._durable and folder.is_dir():
            return
        if folder == self._base:  # what is above it is the operator's
            folder.mkdir(parents=True, exist_ok=True)
            return
        self._ensure(folder.parent)
        if not folder.is_dir():
            folder.mkdir(exist_ok=True)
            fault("folder.made")
        sync_folder(folder.parent)
        self._durable.add(folder)


class Draft:
    """A file that nobody has accepted yet. One of `place` and `discard` ends it."""

    def __init__(self, temporary: Path) -> None:
        """Create `temporary`, on the file system of the final file."""
        self.path = temporary
        self._file = temporary.open("xb", buffering=0)
        self._named = False

    def write(self, part: bytes | bytearray) -> None:
        """Write more of it; readers of `path` see it at once."""
        written = self._file.write(part)
        while written < len(part):  # the disk is nearly full: the next write says so
            written += self._file.write(memoryview(part)[written:])
        fault("file.part")

    def place(self, final: Path, *, once: bool = False) -> float:
        """Fsync, rename, fsync the directory; return the seconds that the two fsyncs took.

        A failure leaves the draft, and never a final file that is not whole. With `once` an
        existing final file is never replaced, not even one that another host wrote a moment ago:
        FileExistsError, and the draft may be placed elsewhere.
        """
        fault("file.written")
        before = time.monotonic()
        os.fsync(self._file.fileno())
        synced_s = time.monotonic() - before
        fault("file.synced")
        if once:
            final.hardlink_to(self.path)
        else:
            self.path.rename(final)
            self._named = True
        fault("file.named")
        synced_s += sync_folder(final.parent)
        fault("file.durable")
        return synced_s

    def discard(self) -> None:
        """Leave nothing but the final file, if there is one."""
        with suppress(OSError):  # on a disk of the network; nothing waits to be written here
            self._file.close()
        if self._named:
            return
        self.path.unlink(missing_ok=True)


def write_file(
    temporary: Path, final: Path, parts: Iterable[bytes | bytearray], *, once: bool = False
) -> float:
    """Write, fsync, rename, fsync the directory; return the seconds that the two fsyncs took.

    Both paths are on one file system and their folders exist. A failure leaves no temporary file;
    `once` is that of `Draft.place`.
    """
    draft = Draft(temporary)
    try:
        for part in parts:
            draft.write(part)
        return draft.place(final, once=once)
    finally:
        draft.discard()


def sync_folder(folder: Path) -> float:
    """Make the names in a folder durable; return the seconds that it took."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    before = time.monotonic()
    try:
        os.fsync(descriptor)
        return time.monotonic() - before
    finally:
        os.close(descriptor)


@contextmanager
def file_system_errors() -> Iterator[None]:
    """Turn what the file system refuses into a `SpoolError`, so that every sender hears 0xA700."""
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else type(error).__name__
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise SpoolFull(f"the spool's file system is full: {reason}") from None
        raise SpoolUnwritable(f"the spool cannot be written: {reason}") from None
