"""A disk whose power can be cut: ext4 in an image file, mounted by a loop device. Needs root.

What a program wrote and never fsynced lies in the page cache above the file system and not in the
image. So a copy of the image, made while every writer is stopped, is what a disk holds whose
power goes at that moment; mounting the copy replays its journal, as the next start would. It finds
what was never handed to the disk; it proves nothing about a disk's own cache.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_MIB = 2**20


class LoopDisk:
    """A file system in `image`, mounted at `root` until `close`."""

    def __init__(self, folder: Path, size_mib: int = 256) -> None:
        """Make and mount it in a folder of its own; raises `CalledProcessError` without rights."""
        self._folder = folder
        self._image = folder / "disk.img"
        self.root = folder / "disk"
        self.root.mkdir(parents=True)
        with self._image.open("wb") as file:
            file.truncate(size_mib * _MIB)
        _run("mkfs.ext4", "-q", "-F", self._image)
        _run("mount", "-o", "loop", self._image, self.root)

    def close(self) -> None:
        """Take it away, whoever still has files open there."""
        _unmount(self.root)
        self._image.unlink()

    @contextlib.contextmanager
    def after_a_power_cut(self, writers: Iterable[int]) -> Iterator[Path]:
        """Yield the root of what a power cut now would leave; `writers` are stopped, and stay so.

        The processes are stopped by SIGSTOP: end them, or let them go on by SIGCONT.
        """
        for pid in writers:
            os.kill(pid, signal.SIGSTOP)
        with tempfile.TemporaryDirectory(dir=self._folder) as name:
            copy, root = Path(name) / "copy.img", Path(name) / "root"
            root.mkdir()
            _run("cp", "--sparse=always", self._image, copy)
            _run("mount", "-o", "loop", copy, root)
            try:
                yield root
            finally:
                _unmount(root)


def can_mount() -> bool:
    """Tell whether this process may make such disks."""
    with tempfile.TemporaryDirectory() as name:
        try:
            disk = LoopDisk(Path(name) / "probe", size_mib=8)
        except (OSError, subprocess.CalledProcessError):
            return False
        disk.close()
        return True


def _run(*command: object) -> None:
    subprocess.run([str(word) for word in command], check=True, capture_output=True)


def _unmount(root: Path) -> None:
    try:
        _run("umount", root)
    except subprocess.CalledProcessError:
        _run("umount", "--lazy", root)
