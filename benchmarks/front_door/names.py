"""A UID that is a path."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from benchmarks.front_door.association import PeerError
from benchmarks.front_door.finding import Abuse, started

if TYPE_CHECKING:
    from benchmarks.front_door.finding import Bench, Judged
    from benchmarks.front_door.images import Image
    from benchmarks.front_door.receivers import Receiver, Running

_MARK = "outside"


def _traversal(receiver: Receiver, bench: Bench) -> Judged:
    """Say such a UID in the command alone, and in the data set too."""
    with started(receiver, bench) as peer:
        image = bench.images.image(0, 0)
        uid = f"../{_MARK}".ljust(len(image.uid), "1")
        both = replace(image, head=image.head.replace(image.uid.encode(), uid.encode()))
        told = " and ".join(_answer(peer, bench, one, uid) for one in (image, both))
        outside = [
            path
            for path in peer.place.folder.rglob(f"*{_MARK}*")
            if path.is_file() and not path.is_relative_to(peer.place.images)
        ]
    return not outside, f"{told}; {'written outside' if outside else 'nothing outside'}"


def _answer(peer: Running, bench: Bench, image: Image, uid: str) -> str:
    try:
        with peer.call() as association:
            association.send_store(image, bench.images.pixels, uid)
            return f"0x{association.status():04X}"
    except PeerError:
        return "the association ended"


ABUSES = (
    Abuse("a SOP Instance UID that is a path", "nothing is written outside its folder", _traversal),
)
