"""A place that results are delivered to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from dicom_node.send import nothing_more, send

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from dicom_node.send import Peer, SendOutcome

# Images first, the report last: viewers show a report when what it refers to exists (dicom.md C2).
_ORDER = {"adc": 0, "image": 0, "seg": 1, "sc": 2, "pdf": 2, "sr": 3}
_BEFORE_THE_REPORT = 2


class Deliverable(Protocol):
    """A result object: what it is and where its bytes lie."""

    @property
    def kind(self) -> str:
        """One of "adc", "image", "seg", "sc", "pdf", "sr"; others go before the report."""

    @property
    def path(self) -> Path:
        """A DICOM file, sent as it is."""


@dataclass(frozen=True)
class CStoreDestination:
    """A PACS that takes results by C-STORE."""

    name: str
    peer: Peer

    def deliver(
        self,
        objects: Sequence[Deliverable],
        on_sent: Callable[[Path, int], None] = nothing_more,
    ) -> tuple[SendOutcome, ...]:
        """Send the objects in the order that viewers need; outcomes in that order.

        `on_sent(path, status)` is called after each answer; what it raises ends the delivery.
        A transient failure ends the delivery, so a report never goes ahead of what it refers to.
        A resend sends the same bytes. Raises `PeerUnavailable` or `PeerRefused`.
        """
        ordered = sorted(objects, key=lambda item: _ORDER.get(item.kind, _BEFORE_THE_REPORT))
        return send(self.peer, [item.path for item in ordered], on_sent)
