"""A load on one receiver, and what it cost: the same sender for all of them."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.front_door.association import Association, PeerError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.front_door.images import Image, Images
    from benchmarks.front_door.receivers import Running

_SETTLE_S = 1.0
_CALL_S = 10.0
_LIMIT_S = 60.0


@dataclass(frozen=True)
class Cost:
    """What one load took."""

    associations: int
    images: int
    seconds: float
    """From the first connection to the last release."""
    cpu_ms: float
    """Of the receiver's processes, an image."""
    sender_cpu_ms: float
    """Of this process, an image."""

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
    return Cost(len(studies), n_images, seconds, cpu_s * per_image_ms, own_s * per_image_ms)


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
