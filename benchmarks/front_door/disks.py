"""A power cut and a full disk, on a disk of its own for each receiver. Both need root."""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections import Counter
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING

from benchmarks.front_door.association import PeerError
from benchmarks.front_door.finding import Abuse
from benchmarks.front_door.programs import ORTHANC_STOCK
from benchmarks.front_door.receivers import running
from tests.chaos.loop_disk import LoopDisk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.front_door.finding import Bench, Judged
    from benchmarks.front_door.images import Images
    from benchmarks.front_door.receivers import Receiver, Running

CUTS = 3
_SENDERS = 2
_CUT_DISK_MIB, _FULL_DISK_MIB = 1024, 64
_CUT_AFTER_S = (1.0, 3.0)
_SETTLE_S = 0.3
_TO_A_FULL_DISK = 700
_LOST_MOST = 5
_OUT_OF_RESOURCES = range(0xA700, 0xA800)
_INCOMING = "incoming"
"""Osteon's folder of what is not accepted yet."""
_SOP_INSTANCE_UID = b"\x08\x00\x18\x00UI"


def _power_cut(receiver: Receiver, bench: Bench) -> Judged:
    chance = random.Random(7)
    acknowledged = missing = 0
    for _ in range(CUTS):
        seen, gone = _cut(receiver, bench, chance.uniform(*_CUT_AFTER_S))
        acknowledged += seen
        missing += gone
    figure = f"{missing} of {acknowledged} acknowledged images missing after {CUTS} cuts"
    return missing == 0 and acknowledged > 0, figure


def _cut(receiver: Receiver, bench: Bench, after_s: float) -> tuple[int, int]:
    """Return how many images were acknowledged, and how many of them the disk does not have."""
    place = bench.place(receiver)
    with _disk(place.folder, _CUT_DISK_MIB) as disk:
        place = bench.place(receiver, disk=disk.root, floor_gib=0.0)
        with running(receiver, place) as peer:
            sent: set[str] = set()
            senders = [
                threading.Thread(target=_send_on, args=(peer, bench.images, study, sent))
                for study in range(_SENDERS)
            ]
            for sender in senders:
                sender.start()
            time.sleep(after_s)
            with disk.after_a_power_cut([p.pid for p in peer.tree()]) as root:
                time.sleep(_SETTLE_S)  # answers on their way are answers
                acknowledged = frozenset(sent)
                kept = kept_in(root, bench.images, indexed=receiver.name == ORTHANC_STOCK)
        for sender in senders:
            sender.join()
    return len(acknowledged), len(acknowledged - kept)


def _send_on(peer: Running, images: Images, study: int, acknowledged: set[str]) -> None:
    with suppress(PeerError), peer.call() as association:
        for number in range(10**5):
            image = images.image(study, number)
            if association.store(image, images.pixels) == 0:
                acknowledged.add(image.uid)


def kept_in(root: Path, images: Images, *, indexed: bool) -> frozenset[str]:
    """Return the images that are whole under `root`; `indexed`: those that Orthanc knows of."""
    if indexed:
        return _known_to_orthanc(root / "images", images)
    found = (_uid_of(path, images) for path in root.rglob("*") if path.is_file())
    return frozenset(uid for uid in found if uid is not None)


def _uid_of(path: Path, images: Images) -> str | None:
    """Return the SOP Instance UID of a whole file under its final name; None for any other."""
    if _INCOMING in path.parts:
        return None
    content = path.read_bytes()
    place = content.find(_SOP_INSTANCE_UID, 0, 4096)
    if place < 0 or not content.endswith(images.pixels):
        return None
    begin = place + len(_SOP_INSTANCE_UID)
    length = int.from_bytes(content[begin : begin + 2], "little")
    return content[begin + 2 : begin + 2 + length].rstrip(b"\0").decode("ascii")


def _known_to_orthanc(folder: Path, images: Images) -> frozenset[str]:
    """Ask its index, and look whether the file is whole that the index names."""
    asked = (
        "SELECT uuid FROM AttachedFiles JOIN DicomIdentifiers USING (id) "
        "WHERE fileType = 1 AND tagGroup = 8 AND tagElement = 24"
    )
    with closing(sqlite3.connect(folder / "index")) as index:
        try:
            names = [row[0] for row in index.execute(asked)]
        except sqlite3.DatabaseError:  # it was not even made
            return frozenset()
    paths = (folder / name[:2] / name[2:4] / name for name in names)
    found = (_uid_of(path, images) for path in paths if path.is_file())
    return frozenset(uid for uid in found if uid is not None)


def _disk_full(receiver: Receiver, bench: Bench) -> Judged:
    """Send more than the disk takes; see what is answered and what is left."""
    place = bench.place(receiver)
    with _disk(place.folder, _FULL_DISK_MIB) as disk:
        place = bench.place(receiver, disk=disk.root, floor_gib=0.0)
        with running(receiver, place) as peer:
            told = _fill(peer, bench.images)
        n_cut_short = sum(cut_short(path, bench.images) for path in disk.root.rglob("*"))
    refusals = {status: n for status, n in told.items() if status != 0}
    shown = [f"{n} x {'lost association' if s is None else f'0x{s:04X}'}" for s, n in told.items()]
    figure = f"{', '.join(shown)}; {n_cut_short} cut-off files"
    right = all(status in _OUT_OF_RESOURCES for status in refusals if status is not None)
    return bool(refusals) and right and None not in refusals and not n_cut_short, figure


def _fill(peer: Running, images: Images) -> Counter[int | None]:
    """Return how often each status was answered; None where the association was lost."""
    told: Counter[int | None] = Counter()
    study = iter(images.study(1, _TO_A_FULL_DISK))
    while told[None] < _LOST_MOST:
        try:
            with peer.call(10.0) as association:
                for image in study:
                    told[association.store(image, images.pixels)] += 1
            break
        except PeerError:
            told[None] += 1
    return +told


def cut_short(path: Path, images: Images) -> bool:
    """Tell whether a file is an image, or the beginning of one, and not whole."""
    if not path.is_file() or _INCOMING in path.parts or path.suffix in (".lock", ".sqlite"):
        return False
    content = path.read_bytes()
    is_named = path.suffix == ".dcm" or path.name.startswith(("MR.", "2.25."))
    return (is_named or content[128:132] == b"DICM") and not content.endswith(images.pixels)


@contextmanager
def _disk(folder: Path, size_mib: int) -> Iterator[LoopDisk]:
    disk = LoopDisk(folder, size_mib)
    try:
        yield disk
    finally:
        disk.close()


ABUSES = (
    Abuse("a power cut while two senders send", "no acknowledged image is missing", _power_cut),
    Abuse(
        "a full disk",
        "answered by 0xA7xx (out of resources), no cut-off file, no association lost",
        _disk_full,
    ),
)
