"""Small file systems that are soon full. They need root, as `tests/chaos/loop_disk.py` does."""

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.loop_disk import can_mount

_MIB = 2**20


def need_mounts() -> None:
    """Skip where no file system can be mounted."""
    if not can_mount():
        pytest.skip("mounting a file system needs root and loop devices")


@contextlib.contextmanager
def small_disk(place: Path, size_mib: int) -> Iterator[Path]:
    """Mount a file system in memory that is soon full."""
    place.mkdir(parents=True, exist_ok=True)
    _run("mount", "-t", "tmpfs", "-o", f"size={size_mib}m", "chaos", str(place))
    try:
        yield place
    finally:
        _run("umount", "--lazy", str(place))


@contextlib.contextmanager
def filled(place: Path, spare_bytes: int) -> Iterator[None]:
    """Leave so few bytes free while the block runs."""
    ballast = place / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        left = shutil.disk_usage(place).free - spare_bytes
        while left > 0:
            left -= file.write(bytes(min(left, _MIB)))
    try:
        yield
    finally:
        ballast.unlink()


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        message = f"{' '.join(command)}: {done.stderr.strip()}"
        raise AssertionError(message)
