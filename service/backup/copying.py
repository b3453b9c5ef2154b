"""Files copied with their digest, into folders that only their owner may read."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import uuid
from typing import TYPE_CHECKING

from service.backup.errors import BackupUnwritable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CHUNK = 1024 * 1024
_PRIVATE = 0o600


def copy_file(source: Path, target: Path) -> str:
    """Copy a file to a path where nothing is; return its SHA-256. FileNotFoundError if it is gone.

    Nothing is synced: whoever copies many files syncs once.
    """
    digest = hashlib.sha256()
    with source.open("rb") as reading:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with os.fdopen(os.open(target, flags, _PRIVATE), "wb") as writing:
            while chunk := reading.read(_CHUNK):
                digest.update(chunk)
                writing.write(chunk)
        times = os.fstat(reading.fileno())
    os.utime(target, ns=(times.st_atime_ns, times.st_mtime_ns))  # the spool's tells the arrival
    return digest.hexdigest()


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def unfinished_folder(parent: Path, mark: str) -> Iterator[Path]:
    """Yield a new private folder `parent`/.`mark`-<random>; what is left in it is removed.

    Those of processes that were killed are removed first: their lock can be had.
    """
    for left in parent.glob(f".{mark}-*"):
        with _locked(left) as taken:
            if taken:
                shutil.rmtree(left, ignore_errors=True)
    folder = parent / f".{mark}-{uuid.uuid4().hex}"
    folder.mkdir(mode=0o700)
    try:
        with _locked(folder):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def refusals_explained(what: str) -> Iterator[None]:
    """Turn what the file system refuses into one sentence about `what`.

    Raises:
        BackupUnwritable: in place of OSError.

    """
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else type(error).__name__
        where = f" ({error.filename})" if error.filename else ""
        message = f"{what} ended without a result: {reason}{where}; nothing was left behind"
        raise BackupUnwritable(message) from error


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[bool]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)
