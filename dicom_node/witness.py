"""Who sees what came from whom and who was turned away: the seam of the audit.

Unlike a listener (`dicom_node.vitals`) a witness is told AE titles, addresses and Study Instance
UIDs: what it keeps belongs into the audit, never into logs or metrics.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from jobs.transfers import Transfer

if TYPE_CHECKING:
    from collections.abc import Iterator


class Witness(Protocol):
    """Is told from several threads, also from an event loop; raises nothing and is quick."""

    def received(self, transfer: Transfer) -> None:
        """Know that an association ended, and what it brought of one study."""

    def turned_away(self, calling_ae_title: str, address: str, code: str) -> None:
        """Know that a peer got no association; `code` is of `dicom_node.rejection`."""


class Nobody:
    """A witness that keeps nothing."""

    def received(self, transfer: Transfer) -> None:
        """Forget it."""

    def turned_away(self, calling_ae_title: str, address: str, code: str) -> None:
        """Forget it."""


@dataclass
class Brought:
    """What one association has brought so far, by study. One thread at a time may tell it."""

    calling_ae_title: str
    address: str
    _stored: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    _failed: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def count(self, study_uid: str, sop_class_uid: str, *, stored: bool) -> None:
        """Count one object, that was stored or was not; its UIDs were checked."""
        (self._stored if stored else self._failed)[study_uid][sop_class_uid] += 1

    def transfers(self) -> Iterator[Transfer]:
        """Give one transfer a study."""
        for study_uid in sorted({*self._stored, *self._failed}):
            yield Transfer(
                self.calling_ae_title,
                self.address,
                study_uid,
                dict(self._stored.get(study_uid, {})),
                dict(self._failed.get(study_uid, {})),
            )
