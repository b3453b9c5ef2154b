"""What is kept of the objects of all associations, and known of those that are open."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dicom_node.allowance import Allowances
from dicom_node.arrival import Arrival
from dicom_node.errors import SpoolError
from dicom_node.witness import Brought

if TYPE_CHECKING:
    from collections.abc import Callable

    from dicom_node.acceptor.services import Announced, Caller
    from dicom_node.gate import Rule
    from dicom_node.spool import Spool
    from dicom_node.vitals import Listener
    from jobs.study import Instance
    from jobs.transfers import Transfer


class QuotaExceeded(SpoolError):  # noqa: N818 - it names the condition, as the field does
    """An association or a peer brings more than it may; the rest may come later."""

    code = "QUOTA_EXCEEDED"


@dataclass(frozen=True)
class Terms:
    """What an association may bring, and what it is told."""

    association_bytes: int
    """More of them are answered 0xA700."""
    conflict_status: int
    """The answer to other bytes under a known UID."""
    urgent_ae_titles: tuple[str, ...] = ()
    """Who sends urgent studies, beside those of whom a rule says so."""


class Keeping:
    """The `Storage` of the acceptor: the spool, and what is known of open associations."""

    def __init__(
        self,
        spool: Spool,
        on_stored: Callable[[Instance], None],
        tell: Listener,
        terms: Terms,
        received: Callable[[Transfer], None],
    ) -> None:
        """Call `on_stored` and `tell` from threads; `received` at the end of an association."""
        self.spool = spool
        self.on_stored = on_stored
        self.tell = tell
        self.terms = terms
        self.allowances = Allowances()
        self._received = received
        self._touched: dict[Session, set[str]] = {}
        self._urgent: set[str] = set()
        self._lock = threading.Lock()

    def has_room(self) -> bool:
        """Tell whether a new association makes sense."""
        return self.spool.has_room()

    def open(self, caller: Caller, rule: Rule) -> Session:
        """Begin an association."""
        urgent = rule.urgent or caller.calling_ae_title in self.terms.urgent_ae_titles
        brought = Brought(caller.calling_ae_title, caller.address)
        session = Session(self, brought, rule, urgent=urgent)
        with self._lock:
            self._touched[session] = set()
        return session

    def close(self, session: Session) -> None:
        """Know that an association has ended."""
        with self._lock:
            self._touched.pop(session, None)
        for transfer in session.brought.transfers():
            self._received(transfer)

    def touch(self, session: Session, study_uid: str) -> None:
        """Know that an association has sent to a study."""
        with self._lock:
            self._touched.setdefault(session, set()).add(study_uid)
            if session.urgent:
                self._urgent.add(study_uid)

    def busy_studies(self) -> frozenset[str]:
        """Return the studies that an association which is still open has sent to."""
        with self._lock:
            return frozenset().union(*self._touched.values())

    def urgent_studies(self) -> frozenset[str]:
        """Return the studies that an urgent peer has sent to, until `forget`."""
        with self._lock:
            return frozenset(self._urgent)

    def forget(self, study_uid: str) -> None:
        """Drop what is known of a study that was closed."""
        with self._lock:
            self._urgent.discard(study_uid)


class Session:
    """The objects of one association."""

    def __init__(self, keeping: Keeping, brought: Brought, rule: Rule, *, urgent: bool) -> None:
        """Begin."""
        self._keeping = keeping
        self._rule = rule
        self._left_bytes = keeping.terms.association_bytes
        self.brought = brought
        self.urgent = urgent

    def begin(self, announced: Announced) -> Arrival:
        """Return what takes the next object."""
        return Arrival(self._keeping, self, announced)

    def close(self) -> None:
        """Know that nothing more comes."""
        self._keeping.close(self)

    def spend(self, count: int) -> None:
        """Count bytes; raises `QuotaExceeded`."""
        self._left_bytes -= count
        if self._left_bytes < 0:
            raise QuotaExceeded("one association has brought more bytes than it may")
        if not self._keeping.allowances.spend(self._rule, count):
            raise QuotaExceeded(f"{self._rule.name} has sent more bytes within an hour than it may")
