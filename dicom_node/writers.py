"""Several writers of one spool: each has a folder for what is not accepted yet, and a lock on it.

    <root>/incoming/<writer>/<random>      being written by this writer
    <root>/writers/<writer>.lock           locked while the writer lives

The lock dies with its process, however that dies, so whoever comes next can tell a dead writer's
left-overs from a living one's work. Needs a file system whose locks reach every host (NFSv4 does).
"""

from __future__ import annotations

import fcntl
import os
import shutil
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def writers_folder(root: Path) -> Iterator[Path]:
    """Yield a new folder of this process under `root`/incoming; sweep those of dead writers."""
    locks, incoming = root / "writers", root / "incoming"
    for folder in (locks, incoming):
        folder.mkdir(exist_ok=True)
    with _own_lock(locks) as lock:
        _sweep(locks, incoming)
        own = incoming / lock.stem
        own.mkdir()
        try:
            yield own
        finally:
            shutil.rmtree(own)
            lock.unlink()


@contextmanager
def _own_lock(locks: Path) -> Iterator[Path]:
    while True:
        path = locks / f"{uuid.uuid4().hex}.lock"
        with path.open("w") as lock:
            # A sweep may have come between the two: then the name is gone and we take another.
            if _taken(lock) and path.exists():
                yield path
                return


def _sweep(locks: Path, incoming: Path) -> None:
    """Remove what dead writers left: their lock can be had, or is gone already."""
    for path in locks.glob("*.lock"):
        try:
            with path.open("r+") as lock:
                if _taken(lock):
                    shutil.rmtree(incoming / path.stem, ignore_errors=True)
                    path.unlink(missing_ok=True)
        except FileNotFoundError:  # its owner went, or somebody else swept it
            continue
    for left in incoming.iterdir():
        if not (locks / f"{left.name}.lock").exists():
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            else:  # of a node that had the spool to itself
                left.unlink(missing_ok=True)


def _taken(lock: TextIO) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return os.fstat(lock.fileno()).st_nlink > 0
