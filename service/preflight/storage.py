"""The data folder: that what is written there stays, and that there is room."""

from __future__ import annotations

import os
import shutil
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from dicom_node.durable import file_system_errors, write_file
from dicom_node.errors import SpoolError
from service.preflight.finding import Verdict, ok, problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service.preflight.finding import Finding
    from service.settings import Settings

_FOLDER, _SPACE = "DATA_FOLDER", "DISK_SPACE"
_GIB = 2**30
_PASSING = frozenset({"tmpfs", "ramfs", "overlay", "aufs"})
_OF_A_NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "glusterfs", "lustre"})
_WITHOUT_LOCKS = frozenset({"nfs", "cifs", "smb3", "9p"})
"""Hard links and locks that reach every host are what several nodes need (docs/decisions/0009)."""


def check_storage(settings: Settings) -> Iterator[Finding]:
    """Write as spool and results are written, look at the file system, count the free space.

    The two may be volumes of their own, as in compose.
    """
    found = [_folder(folder.absolute(), settings) for folder in _folders(settings)]
    yield from found
    if all(finding.verdict is Verdict.OK for finding in found):
        yield _space(settings.spool_dir.absolute(), settings)


def _folders(settings: Settings) -> tuple[Path, ...]:
    return (settings.spool_dir, settings.results_dir)


def _folder(folder: Path, settings: Settings) -> Finding:
    who = f"{os.geteuid()}:{os.getegid()}"
    try:
        with file_system_errors():
            _write_durably(folder)
    except SpoolError as error:
        return problem(
            _FOLDER,
            f"{folder} cannot be written durably by {who} ({error}): make it exist, "
            f"owned by {who}, on a disk that is mounted read-write",
        )
    return _kind_of_disk(folder, settings)


def _write_durably(folder: Path) -> None:
    """Do what one accepted image does: write, fsync, link, fsync of the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    name = uuid.uuid4().hex
    final = folder / f".doctor-{name}"
    try:
        write_file(folder / f".doctor-incoming-{name}", final, (b"osteon",), once=True)
    finally:
        final.unlink(missing_ok=True)


def _kind_of_disk(folder: Path, settings: Settings) -> Finding:
    kind = file_system(folder)
    if kind in _PASSING:
        text = f"{folder} is on {kind}, which does not outlive its container: mount a volume there"
        return problem(_FOLDER, text)
    if settings.store_url.startswith("sqlite") and kind in _OF_A_NETWORK:
        text = f"{folder} is on {kind} and SQLite needs a disk of this host: set store.url, or move"
        return problem(_FOLDER, f"{text} data_dir to a local disk")
    if kind in _WITHOUT_LOCKS:
        text = f"{folder} is on {kind}, whose locks do not reach every host: mount it as NFSv4"
        return problem(_FOLDER, text)
    return ok(_FOLDER, f"{folder} on {kind} takes durable files")


def _space(folder: Path, settings: Settings) -> Finding:
    free_gib = shutil.disk_usage(folder).free / _GIB
    floor_gib = settings.node.free_space_floor_gib
    text = f"{free_gib:.1f} GiB are free in {folder}; node.free_space_floor_gib is {floor_gib:g}"
    if free_gib > floor_gib:
        return ok(_SPACE, text)
    return problem(_SPACE, f"{text}: senders would be refused (0xA700); make room")


def file_system(folder: Path, mounts: Path = Path("/proc/self/mounts")) -> str:
    """Return the type of the file system that holds `folder`, as the kernel names it."""
    found = ("", "unknown")
    for line in mounts.read_text(encoding="utf-8").splitlines():
        _, place, kind, *_ = line.split(" ")
        place = place.encode().decode("unicode_escape")  # a space is \040
        if folder.resolve().is_relative_to(place) and len(place) >= len(found[0]):
            found = (place, kind)
    return found[1]
