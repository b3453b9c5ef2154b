"""The network door: answered with success only after the bytes are durable.

An acceptor of ours (`dicom_node.acceptor`, docs/decisions/0023) takes PDUs, the gate says who may
come in, and `dicom_node.storing` keeps what C-STORE brings. Nothing that is received is decoded
here. The order of each object is write, fsync, rename, fsync of the directory, answer.

All sixteen failures of a stock receiver in reliability.md B1 are answered: limits before and after
negotiation apart (1), a deadline for each whole PDU (2), PDU lengths enforced (3), TLS handshakes
beside each other (4), one message in flight (5), bytes of an object and of an association limited
(6), a closed connection forgotten at once (7), malformed messages aborted and counted (8), an
incoming file of our own (9), UIDs checked before any use (10), contexts explicit (11), nothing
decoded (12), TCP_NODELAY and quick acknowledgement (13), no `select` (14), a floor of free space
and 0xA700 (15), the order above (16).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pydicom import config as pydicom_config
from pynetdicom import build_context

from dicom_node.acceptor.acceptor import Acceptor
from dicom_node.acceptor.doorway import Doorway
from dicom_node.acceptor.house import House, Pools
from dicom_node.acceptor.limits import Limits
from dicom_node.acceptor.negotiation import Negotiator
from dicom_node.arrival import KEPT_THE_FIRST, SUCCESS
from dicom_node.contexts import (
    EXPLICIT_LE,
    IMPLICIT_LE,
    STORAGE_CLASSES,
    TRANSFER_SYNTAXES,
    VERIFICATION,
)
from dicom_node.gate import simple_gate
from dicom_node.network import check_ae_title, silence_libraries
from dicom_node.rejection import AssociationRefused, HandshakeFailed
from dicom_node.storing import Keeping, Terms
from dicom_node.vitals import nobody
from dicom_node.witness import Nobody

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from pynetdicom.presentation import PresentationContext

    from dicom_node.acceptor.services import Caller, NormalizedService
    from dicom_node.gate import Gate, Rule
    from dicom_node.spool import Spool
    from dicom_node.vitals import Listener, NodeVital
    from dicom_node.witness import Witness
    from jobs.study import Instance

DEFAULT_ASSOCIATION_BYTES = 64 * 1024**3


@dataclass(frozen=True)
class ReceiverSettings:
    """Where the node listens, whom it answers, and how much it takes."""

    ae_title: str = "OSTEON"
    host: str = "127.0.0.1"
    port: int = 11112  # 0: any free one
    maximum_associations: int = 200
    check_called_ae_title: bool = True
    calling_ae_titles: tuple[str, ...] = ()  # empty: anybody
    gate: Gate | None = None  # in place of the two above
    urgent_ae_titles: tuple[str, ...] = ()  # who sends urgent studies
    warn_of_conflict: bool = True  # answer other bytes under a known UID by 0xB000, else 0x0000
    association_bytes: int = DEFAULT_ASSOCIATION_BYTES  # that one association may bring
    limits: Limits = field(default_factory=Limits)  # its associations are those above
    tls: ssl.SSLContext | None = field(default=None, repr=False)  # None: plain connections
    services: tuple[NormalizedService, ...] = ()  # beside C-ECHO and C-STORE
    witness: Witness = field(default_factory=Nobody, repr=False)  # who brought what, for the audit

    def __post_init__(self) -> None:
        """Refuse a title that nobody could call; raises `InvalidAeTitle`."""
        check_ae_title(self.ae_title)


class Receiver:
    """Listens, stores in `spool`, and reports each instance that is durable."""

    def __init__(
        self, settings: ReceiverSettings, spool: Spool, on_stored: Callable[[Instance], None]
    ) -> None:
        """Call `on_stored` from a thread, after fsync and before the answer.

        It is called for new and for duplicate instances, not for conflicts.
        """
        self._settings = settings
        self._gate = settings.gate or simple_gate(
            settings.ae_title,
            settings.calling_ae_titles,
            check_called=settings.check_called_ae_title,
        )
        self.listener: Listener = nobody
        """Told of what happens."""
        self._acceptor: Acceptor | None = None
        self._doorway: Doorway | None = None
        self._validation = (pydicom_config.WARN, pydicom_config.WARN)
        self._keeping = Keeping(
            spool,
            on_stored,
            self._tell,
            Terms(
                settings.association_bytes,
                KEPT_THE_FIRST if settings.warn_of_conflict else SUCCESS,
                settings.urgent_ae_titles,
            ),
            settings.witness.received,
        )

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return self._settings.port if self._acceptor is None else self._acceptor.port

    def start(self) -> None:
        """Listen, in a thread with an event loop; raises `PortUnavailable`."""
        silence_libraries()
        settings = self._settings
        doorway = Doorway(replace(settings.limits, associations=settings.maximum_associations))
        house = self._house(doorway)
        self._acceptor = Acceptor(house, settings.host, settings.port, settings.tls)
        self._doorway = doorway
        quiet = pydicom_config.settings
        self._validation = quiet.reading_validation_mode, quiet.writing_validation_mode
        # pydicom's warnings about UIDs of a request quote the peer; what matters we check.
        quiet.reading_validation_mode = quiet.writing_validation_mode = pydicom_config.IGNORE
        self._acceptor.start()

    def stop(self) -> None:
        """Take no new connection, let objects in flight finish for a moment, end the rest."""
        if self._acceptor is None:
            return
        self._acceptor.stop()
        self._acceptor = self._doorway = None
        loud = pydicom_config.settings
        loud.reading_validation_mode, loud.writing_validation_mode = self._validation

    @property
    def open_associations(self) -> int:
        """How many associations there are now."""
        return 0 if self._doorway is None else self._doorway.associated

    def busy_studies(self) -> frozenset[str]:
        """Return the studies that an association which is still open has sent to."""
        return self._keeping.busy_studies()

    def urgent_studies(self) -> frozenset[str]:
        """Return the studies that an urgent peer has sent to, until `forget`."""
        return self._keeping.urgent_studies()

    def forget(self, study_uid: str) -> None:
        """Drop what is known of a study that was closed."""
        self._keeping.forget(study_uid)

    def _house(self, doorway: Doorway) -> House:
        settings, limits = self._settings, self._settings.limits
        return House(
            limits=limits,
            negotiator=Negotiator(
                self._admit, accepted_contexts()[1:], settings.services, limits.pdu_bytes
            ),
            storage=self._keeping,
            answers={(s.abstract_syntax, s.operation): s.answer for s in settings.services},
            doorway=doorway,
            pools=Pools(limits),
            tell=self._tell,
            unproven=self._unproven,
        )

    def _unproven(self, address: str) -> None:
        self._settings.witness.turned_away("unknown", address, HandshakeFailed.code)

    def _admit(self, caller: Caller) -> Rule:
        try:
            return self._gate.admit(caller)
        except AssociationRefused as refused:
            witness = self._settings.witness
            witness.turned_away(caller.calling_ae_title, caller.address, refused.code)
            raise

    def _tell(self, vital: NodeVital) -> None:
        self.listener(vital)


def accepted_contexts() -> list[PresentationContext]:
    """Return what the receiver negotiates, from the tables of `dicom_node.contexts`."""
    syntaxes = [syntax.uid for syntax in TRANSFER_SYNTAXES]
    return [
        build_context(VERIFICATION, [EXPLICIT_LE, IMPLICIT_LE]),
        *(build_context(storage.uid, syntaxes) for storage in STORAGE_CLASSES),
    ]
