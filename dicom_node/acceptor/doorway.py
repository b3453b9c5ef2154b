"""Who stands in the door: connections without an association, and associations (B1 row 1).

The two are counted apart, so that peers who say nothing keep nobody out. One connection too many
puts out the oldest of the address that has most of them: whoever speaks at once is heard, however
many wait in silence.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Protocol

from dicom_node.rejection import TooManyAssociations

if TYPE_CHECKING:
    from dicom_node.acceptor.limits import Limits


class Visitor(Protocol):
    """A connection."""

    @property
    def address(self) -> str:
        """The IP address of the peer."""

    def put_out(self) -> None:
        """Make room for another: end now. It calls `Doorway.leave`, at once or later."""


class Doorway:
    """Counts, for one event loop."""

    def __init__(self, limits: Limits) -> None:
        """Hold nobody yet."""
        self._limits = limits
        self._waiting: dict[str, dict[Visitor, None]] = {}  # by address, in order of arrival
        self._count = 0
        self._associated: Counter[str] = Counter()

    @property
    def waiting(self) -> int:
        """How many connections have no association."""
        return self._count

    @property
    def associated(self) -> int:
        """How many have one."""
        return self._associated.total()

    def wait(self, visitor: Visitor) -> None:
        """Let a connection wait here, and put out another if there are too many."""
        here = self._waiting.setdefault(visitor.address, {})
        here[visitor] = None
        self._count += 1
        if len(here) > self._limits.waiting_per_address:
            self._put_out_one_of(visitor.address)
        elif self._count > self._limits.waiting:
            self._put_out_one_of(max(self._waiting, key=lambda at: len(self._waiting[at])))

    def associate(self, visitor: Visitor) -> None:
        """Count a waiting connection as an association; raises `TooManyAssociations`."""
        limits, address = self._limits, visitor.address
        if self.associated >= limits.associations:
            raise TooManyAssociations("as many associations are open as may be")
        if self._associated[address] >= limits.associations_per_address:
            raise TooManyAssociations("as many associations are open to one address as may be")
        self.leave(visitor)
        self._associated[address] += 1

    def dissociate(self, visitor: Visitor) -> None:
        """Count an association as a connection that waits for its end."""
        self._associated[visitor.address] -= 1
        self._associated = +self._associated  # without zeros
        self.wait(visitor)

    def leave(self, visitor: Visitor) -> None:
        """Forget a waiting connection; nothing happens if it is not here."""
        here = self._waiting.get(visitor.address, {})
        if visitor in here:
            del here[visitor]
            self._count -= 1
        if not here:
            self._waiting.pop(visitor.address, None)

    def _put_out_one_of(self, address: str) -> None:
        oldest = next(iter(self._waiting[address]))
        self.leave(oldest)
        oldest.put_out()
