"""A load on one receiver, and what it cost: the same sender for all of them."""

from __future__ import annotations

import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.front_door.association import Association, PeerError
from benchmarks.front_door.receivers import QUICK
from tests.acceptance.peers import STORESCU as STORESCU_PROGRAM

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.front_door.images import Image, Images
    from benchmarks.front_door.receivers import Running

_SETTLE_S = 1.0
_CALL_S = 10.0
_LIMIT_S = 60.0


LIGHT, STORESCU = "our sender", "storescu"


class Load(NamedTuple):
    """What is sent at once, and by which program."""

    associations: int
    sender: str = LIGHT

    def __str__(self) -> str:
        """Return what the table calls it."""
        over = f"{self.associations} association{'s'[: self.associations > 1]}"
        return over if self.sender == LIGHT else f"{over} of {self.sender}"


@dataclass(frozen=True)
class Cost:
    """What one load took."""

    load: Load
    images: int
    seconds: float
    """From the first connection to the last release."""
    cpu_ms: float
    """Of the receiver's processes, an image."""
    sender_cpu_ms: float
    """Of the sender, an image."""

    @property
    def images_a_second(self) -> float:
        """How many were acknowledged in a second."""
        return self.images / self.seconds

    def document(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Idle:
    """What associations cost over which nothing is said."""

    asked: int
    held: int
    """How many of them were accepted, each within 10 s."""
    cpu_percent: float
    """Of one core, by the receiver's processes."""

    def document(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return asdict(self)


def send(running: Running, images: Images, studies: Sequence[Sequence[Image]]) -> Cost:
    """Send each study over an association of its own, all at once.

    Raises `PeerError` where one image is not acknowledged with success.
    """
    cpu_s, own_s, begun = running.cpu_s(), time.process_time(), time.monotonic()
    with ThreadPoolExecutor(len(studies)) as pool:
        for done in [pool.submit(_send, running, images, study) for study in studies]:
            done.result()
    seconds = time.monotonic() - begun
    n_images = sum(map(len, studies))
    own_s = time.process_time() - own_s
    cpu_s = running.cpu_s() - cpu_s
    per_image_ms = 1000.0 / n_images
    return Cost(Load(len(studies)), n_images, seconds, cpu_s * per_image_ms, own_s * per_image_ms)


def send_files(running: Running, folder: Path) -> Cost:
    """Have DCMTK's storescu send the files of a folder: its start and its reading count too.

    Raises `PeerError` where one image is not acknowledged with success.
    """
    n_images = sum(1 for _ in folder.iterdir())
    port, called = str(running.place.port), running.receiver.called
    command = [STORESCU_PROGRAM, "-aec", called, "+sd", "127.0.0.1", port, str(folder)]
    cpu_s, own, begun = running.cpu_s(), os.times(), time.monotonic()
    done = subprocess.run(command, env=QUICK, capture_output=True, check=False, timeout=_LIMIT_S)
    seconds = time.monotonic() - begun
    if done.returncode != 0:
        raise PeerError(f"storescu ended with {done.returncode}")
    cpu_s, now = running.cpu_s() - cpu_s, os.times()
    own_s = now.children_user + now.children_system - own.children_user - own.children_system
    each_ms = 1000.0 / n_images
    return Cost(Load(1, STORESCU), n_images, seconds, cpu_s * each_ms, own_s * each_ms)


def _send(running: Running, images: Images, study: Sequence[Image]) -> None:
    with running.call(_LIMIT_S) as association:
        for image in study:
            status = association.store(image, images.pixels)
            if status != 0:
                raise PeerError(f"status 0x{status:04X} in place of success")


def hold(running: Running, n: int, seconds: float) -> Idle:
    """Open `n` associations, say nothing for `seconds`, and see what that costs."""
    with ThreadPoolExecutor(n) as pool:
        held = [one for one in pool.map(lambda _: _called(running), range(n)) if one is not None]
    time.sleep(_SETTLE_S)
    cpu_s, begun = running.cpu_s(), time.monotonic()
    time.sleep(seconds)
    percent = 100.0 * (running.cpu_s() - cpu_s) / (time.monotonic() - begun)
    for association in held:
        with suppress(PeerError):
            association.release()
        association.socket.close()
    return Idle(n, len(held), percent)


def _called(running: Running) -> Association | None:
    try:
        return running.call(_CALL_S)
    except PeerError:
        return None
