"""What the connections of one acceptor share."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dicom_node.acceptor.doorway import Doorway
    from dicom_node.acceptor.limits import Limits
    from dicom_node.acceptor.negotiation import Negotiator
    from dicom_node.acceptor.services import (
        Caller,
        NormalizedRequest,
        NormalizedResponse,
        Operation,
        Storage,
    )
    from dicom_node.vitals import Listener

Answer: TypeAlias = "Callable[[Caller, NormalizedRequest], NormalizedResponse]"


class Guest(Protocol):
    """Whoever has to be gone before the loop ends."""

    def stop(self, *, now: bool) -> None:
        """End in an orderly way: after the object that is under way, or now."""

    def cut(self) -> None:
        """End at once."""


class Guests:
    """All that are here, those among them that have ended and still tidy up."""

    def __init__(self) -> None:
        """Have none."""
        self._here: set[Guest] = set()
        self._empty = asyncio.Event()

    def __contains__(self, guest: Guest) -> bool:
        """Tell whether one is here."""
        return guest in self._here

    def come(self, guest: Guest) -> None:
        """Know of one more."""
        self._here.add(guest)
        self._empty.clear()

    def go(self, guest: Guest) -> None:
        """Forget one."""
        self._here.discard(guest)
        if not self._here:
            self._empty.set()

    async def end(self, seconds: float) -> None:
        """Stop all of them; cut those off that are still here after twice these seconds."""
        for now in (False, True):
            for guest in tuple(self._here):
                guest.stop(now=now)
            await self._wait(seconds)
        for guest in tuple(self._here):
            guest.cut()
        await self._wait(seconds)

    async def _wait(self, seconds: float) -> None:
        if self._here:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._empty.wait()


class Pools:
    """Threads for what may block. A disk that hangs does not keep negotiations from going on."""

    def __init__(self, limits: Limits) -> None:
        """Threads begin as they are needed."""
        self.storing = ThreadPoolExecutor(limits.storing_threads, "storing")
        self.answering = ThreadPoolExecutor(limits.answering_threads, "answering")

    def close(self) -> None:
        """Take no more work, and wait for none."""
        for pool in (self.storing, self.answering):
            pool.shutdown(wait=False, cancel_futures=True)


def _forget(_address: str) -> None:
    """Keep nothing of it."""


@dataclass(frozen=True)
class House:
    """Limits, services, threads, and who is in."""

    limits: Limits
    negotiator: Negotiator
    storage: Storage
    answers: Mapping[tuple[str, Operation], Answer]
    doorway: Doorway
    pools: Pools
    tell: Listener
    unproven: Callable[[str], None] = _forget
    """Told the address of a peer with whom TLS did not come about."""
    guests: Guests = field(default_factory=Guests)
