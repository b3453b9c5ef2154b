"""A place that results are delivered to, and how it proves that it has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from dicom_node.commitment import request_commitment
from dicom_node.contexts import UNCOMPRESSED_LE
from dicom_node.errors import PeerError
from dicom_node.peer import echo
from dicom_node.query import Level, QueryLimits, find
from dicom_node.send import nothing_more, send

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from dicom_node.commitment import CommitmentReport, Reference
    from dicom_node.send import Peer, SendOutcome

# Images first, the report last: viewers show a report when what it refers to exists (dicom.md C2).
_ORDER = {"adc": 0, "image": 0, "seg": 1, "focal_seg": 1, "mip": 2, "sc": 2, "pdf": 2, "sr": 3}
_BEFORE_THE_REPORT = 2
_MOST_OF_A_SERIES = 10_000


class Deliverable(Protocol):
    """A result object: what it is and where its bytes lie."""

    @property
    def kind(self) -> str:
        """One of "adc", "image", "seg", "sc", "pdf", "sr"; others go before the report."""

    @property
    def path(self) -> Path:
        """A DICOM file, sent as it is."""


class Place(Protocol):
    """What every kind of destination does. Each method may raise `PeerError`."""

    def deliver(
        self, objects: Sequence[Deliverable], on_tried: Callable[[SendOutcome], None]
    ) -> tuple[SendOutcome, ...]:
        """Send the objects in the order that viewers need; outcomes in that order."""

    def commit(
        self, transaction_uid: str, references: Sequence[Reference], linger_s: float
    ) -> CommitmentReport | None:
        """Ask for storage commitment; return the report if it comes at once."""

    def held(self, study_uid: str, series_uids: Iterable[str]) -> frozenset[str]:
        """Return the SOP Instance UIDs that it has of these series."""

    def trouble(self) -> str:
        """Say why it cannot be called, in a sentence; empty: it answers. Raises nothing."""


@dataclass(frozen=True)
class CStoreDestination:
    """A PACS that takes results by C-STORE."""

    name: str
    peer: Peer
    offered: tuple[str, ...] = UNCOMPRESSED_LE
    """Transfer syntaxes that it is offered."""

    def deliver(
        self,
        objects: Sequence[Deliverable],
        on_tried: Callable[[SendOutcome], None] = nothing_more,
    ) -> tuple[SendOutcome, ...]:
        """Send the objects in the order that viewers need; outcomes in that order.

        `on_tried(outcome)` is called after each try; what it raises ends the delivery.
        A transient failure ends the delivery, so a report never goes ahead of what it refers to.
        A resend sends the same bytes. Raises `PeerUnavailable` or `PeerRefused`.
        """
        paths = [item.path for item in in_order(objects)]
        return send(self.peer, paths, on_tried, self.offered)

    def commit(
        self, transaction_uid: str, references: Sequence[Reference], linger_s: float
    ) -> CommitmentReport | None:
        """Ask for storage commitment. Raises as `request_commitment`."""
        return request_commitment(self.peer, transaction_uid, references, linger_s)

    def held(self, study_uid: str, series_uids: Iterable[str]) -> frozenset[str]:
        """Ask at IMAGE level, a query a series. Raises as `dicom_node.query.find`."""
        found: set[str] = set()
        for series_uid in series_uids:
            keys = {"StudyInstanceUID": study_uid, "SeriesInstanceUID": series_uid}
            limits = QueryLimits(answers=_MOST_OF_A_SERIES)
            answers = find(self.peer, Level.IMAGE, keys, ["SOPInstanceUID"], limits)
            found |= {uid for match in answers if (uid := match.uid("SOPInstanceUID"))}
        return frozenset(found)

    def trouble(self) -> str:
        """Send a C-ECHO; say what went wrong."""
        try:
            echo(self.peer)
        except PeerError as error:
            return str(error)
        return ""


def in_order(objects: Iterable[Deliverable]) -> list[Deliverable]:
    """Return them as viewers need them: images, segmentations, pictures and documents, reports."""
    return sorted(objects, key=lambda item: _ORDER.get(item.kind, _BEFORE_THE_REPORT))
