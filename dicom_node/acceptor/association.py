"""One association from its connection to its end: PDUs by the table of states.

All of it runs in the event loop but its errands, which threads do; meanwhile nothing of the peer is
read. An association that ends while a thread works for it frees its place at once, and tidies up
when the thread is back.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from dicom_node.acceptor.connection import Connection
from dicom_node.acceptor.dialogue import Dialogue
from dicom_node.acceptor.errands import Errands
from dicom_node.acceptor.framing import RELEASE_RP, abort_pdu, reject_pdu
from dicom_node.acceptor.states import Action, State, action
from dicom_node.acceptor.violations import UNEXPECTED_PDU, Violation
from dicom_node.certificates import peer_certificate
from dicom_node.rejection import AssociationRefused, Congested, TooManyAssociations
from dicom_node.vitals import AssociationAccepted, AssociationRejected, ConnectionEnded, Ending

if TYPE_CHECKING:
    import asyncio
    from concurrent.futures import Future

    from dicom_node.acceptor.errands import Then
    from dicom_node.acceptor.framing import PduType
    from dicom_node.acceptor.house import House
    from dicom_node.acceptor.negotiation import Agreement
    from dicom_node.acceptor.services import StorageSession
    from dicom_node.certificates import PeerCertificate

_log = logging.getLogger(__name__)


class Association:
    """What lives on one connection."""

    def __init__(self, house: House) -> None:
        """Wait for a connection."""
        self.address = ""
        self.connection = Connection(house.limits, self)
        self._house = house
        self._state = State.AWAITING_REQUEST
        self._certificate: PeerCertificate | None = None
        self._dialogue: Dialogue | None = None
        self._session: StorageSession | None = None
        self._errands = Errands(self._returned)
        self._connected = False
        self._stopping = False

    # What the connection calls

    def opened(self, transport: asyncio.Transport) -> None:
        """Wait for an A-ASSOCIATE-RQ."""
        peer, tls = (transport.get_extra_info(what) for what in ("peername", "ssl_object"))
        self.address = str(peer[0]) if peer else ""
        self._certificate = None if tls is None else peer_certificate(tls)
        self._connected = True
        self._house.guests.come(self)
        self._house.doorway.wait(self)

    def pdu(self, kind: PduType, body: memoryview) -> None:
        """Do what the table says; raises `Violation`."""
        match action(self._state, kind):
            case Action.NEGOTIATE:
                self._negotiate(bytes(body))
            case Action.DATA:
                self._data(body)
            case Action.RELEASE:
                self.connection.leave(RELEASE_RP)
                self._end(None)
            case Action.CLOSE:
                self.connection.close()
                self._end(Ending.PEER)
            case _:
                text = "a PDU comes where it may not"
                raise Violation(text, Ending.UNEXPECTED, UNEXPECTED_PDU)

    def violated(self, violation: Violation) -> None:
        """Abort, or just close where the request never came (AA-2)."""
        if self._state is State.ENDING:
            return
        established = self._state is State.ESTABLISHED
        if established:
            told = {"event": "association_aborted", "code": violation.code}
            _log.warning("an association is aborted: %s", violation, extra=told)
        if established or violation.ending is not Ending.SLOW:
            self.connection.leave(abort_pdu(provider=established, reason=violation.reason))
        else:
            self.connection.close()
        self._end(violation.ending)

    def seconds_left(self) -> float | None:
        """Return how long the message under way may still take."""
        return None if self._dialogue is None else self._dialogue.seconds_left

    def lost(self) -> None:
        """Know that the connection is gone."""
        self._connected = False
        self._end(Ending.PEER)
        self._house.doorway.leave(self)
        self._go_if_done()

    # What the doorway and the acceptor call

    def put_out(self) -> None:
        """Make room for another."""
        if self._state is State.ENDING:
            self.connection.cut()
            return
        self.connection.close(reject_pdu(TooManyAssociations()))
        self._end(Ending.CROWDED)

    def stop(self, *, now: bool) -> None:
        """End: after the object that is under way, or now."""
        self._stopping = True
        dialogue = self._dialogue
        under_way = dialogue is not None and (self._errands.at_work or dialogue.under_way)
        if now or not under_way:
            self._stop()

    def cut(self) -> None:
        """End at once."""
        self.connection.cut()

    # The beginning and the end

    def _negotiate(self, request: bytes) -> None:
        self._state = State.DECIDING
        self._hand_over(False, partial(self._decide, request), self._decided)

    def _decide(self, request: bytes) -> Agreement | AssociationRefused | Violation:
        """Decide, in a thread."""
        house = self._house
        try:
            agreement = house.negotiator.decide(request, self.address, self._certificate)
        except (AssociationRefused, Violation) as no:
            return no
        return agreement if house.storage.has_room() else Congested("there is no room")

    def _decided(self, decision: Agreement | AssociationRefused | Violation) -> None:
        match decision:
            case Violation():
                self.violated(decision)
            case AssociationRefused():
                self._reject(decision)
            case _:
                self._establish(decision)

    def _establish(self, agreement: Agreement) -> None:
        house = self._house
        try:
            house.doorway.associate(self)
        except TooManyAssociations as refused:
            self._reject(refused)
            return
        self._session = house.storage.open(agreement.caller, agreement.rule)
        self._dialogue = Dialogue(house, agreement, self._session, self.connection.send)
        self._state = State.ESTABLISHED
        self.connection.associated()
        self.connection.send(agreement.answer)
        house.tell(AssociationAccepted())

    def _reject(self, refused: AssociationRefused) -> None:
        self.connection.leave(reject_pdu(refused))
        self._house.tell(AssociationRejected(refused.label))
        self._end(None)

    def _stop(self) -> None:
        if self._state is State.ESTABLISHED:
            self.connection.leave(abort_pdu(provider=True))
        else:
            self.connection.close()
        self._end(Ending.STOPPED)

    def _end(self, ending: Ending | None) -> None:
        """Free the place and tidy up, once; `ending` is counted."""
        if self._state is State.ENDING:
            return
        associated = self._state is State.ESTABLISHED
        self._state = State.ENDING
        if associated:
            self._house.doorway.dissociate(self)
        if ending is not None:
            self._house.tell(ConnectionEnded(ending, associated))
        self._tidy_up()

    def _tidy_up(self) -> None:
        """Leave nothing, once no thread works for us."""
        if self._errands.at_work:
            return
        drop = None if self._dialogue is None else self._dialogue.drop()
        if drop is not None:
            self._hand_over(True, drop, lambda _: None)
            return
        if self._dialogue is not None:
            for unanswered in self._dialogue.unanswered():
                self._house.pools.answering.submit(unanswered)
        if self._session is not None:
            self._session.close()
            self._session = None
        self._go_if_done()

    def _go_if_done(self) -> None:
        if not self._connected and not self._errands.at_work:
            self._house.guests.go(self)

    # While it lasts

    def _data(self, body: memoryview) -> None:
        if self._dialogue is None:
            return
        errand = self._dialogue.take(body)
        if errand is not None:
            self._hand_over(*errand)

    def _hand_over(self, stores: bool, work: Any, then: Then) -> None:  # noqa: ANN401
        pools = self._house.pools
        self.connection.hold()
        self._errands.send(pools.storing if stores else pools.answering, work, then)

    def _returned(self, future: Future[Any], then: Then) -> None:
        if self._state is State.ENDING:
            self._tidy_up()
            return
        unharmed = False
        try:
            self._go_on(future, then)
            unharmed = True
        finally:
            if not unharmed:  # a bug in the loop, which logs it
                self.connection.cut()

    def _go_on(self, future: Future[Any], then: Then) -> None:
        error = future.exception()
        if error is None:
            then(future.result())
        elif self._dialogue is not None:
            self._dialogue.failed(then)
        else:
            self._stop()
        if self._stopping and self._state is not State.ENDING:
            self.stop(now=False)
        self.connection.release()
