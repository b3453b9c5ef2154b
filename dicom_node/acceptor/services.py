"""What plugs into the acceptor: who may come in, what keeps objects, what answers the rest.

The acceptor knows PDUs and commands and no more. It is given
    admit(caller)            returns, or raises `Rejected`                      in a thread
    Storage                  keeps what C-STORE sends                           see its methods
    NormalizedService, ...   answers N-ACTION or N-EVENT-REPORT of one class    in a thread

Nothing that is called in a thread may wait for a peer: there are few threads.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Protocol, TypeAlias

from dicom_node.errors import DicomNodeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from dicom_node.uid import Uid


@dataclass(frozen=True)
class PeerCertificate:
    """A client certificate that TLS has verified."""

    sha256: str  # of its DER form, 64 lower case hex digits
    common_name: str  # of its subject, empty where it has none
    names: tuple[str, ...]  # DNS and IP names of its subjectAltName


@dataclass(frozen=True)
class Caller:
    """Who asks for an association. Titles are what the peer wrote, without padding."""

    calling_ae_title: str
    called_ae_title: str
    address: str  # IP address
    certificate: PeerCertificate | None = None


@dataclass(frozen=True)
class Rejection:
    """Result, source and reason of an A-ASSOCIATE-RJ (PS3.8 Table 9-21), and our name for it."""

    result: int
    source: int
    reason: int
    name: str


NOT_ADMITTED = Rejection(1, 1, 1, "not_admitted")
APPLICATION_CONTEXT = Rejection(1, 1, 2, "application_context")
CALLING_AE_TITLE = Rejection(1, 1, 3, "calling_ae_title")
CALLED_AE_TITLE = Rejection(1, 1, 7, "called_ae_title")
PROTOCOL_VERSION = Rejection(1, 2, 2, "protocol_version")
NO_ROOM = Rejection(2, 3, 1, "no_room")
"""Transient: temporary congestion. Less than the floor is free."""
TOO_MANY = Rejection(2, 3, 2, "too_many")
"""Transient: local limit exceeded."""


class Rejected(DicomNodeError):  # noqa: N818 - it names the condition, as the field does
    """An association is not let in."""

    code = "ASSOCIATION_REJECTED"

    def __init__(self, rejection: Rejection) -> None:
        """Keep what the peer is told."""
        super().__init__(f"the association is rejected: {rejection.name}")
        self.rejection = rejection


Admission: TypeAlias = "Callable[[Caller], None]"


@dataclass(frozen=True)
class Announced:
    """What a C-STORE request says of the object that follows. Every UID has been checked."""

    sop_class_uid: Uid
    sop_instance_uid: Uid
    transfer_syntax_uid: Uid


class Incoming(Protocol):
    """One object on its way in. Its methods are called in threads, one at a time.

    None of them raises: an object that cannot be kept swallows what still comes and says so at
    the end. Either `finish` or `discard` is called last, once.
    """

    def write(self, chunk: bytes) -> None:
        """Take more bytes of the data set."""

    def finish(self, rest: bytes) -> int:
        """Take the last bytes, make the object durable, return the status to answer."""

    def discard(self) -> None:
        """Leave nothing: the rest will not come."""


class StorageSession(Protocol):
    """The objects of one association. Both methods are called in the event loop and are quick."""

    def begin(self, announced: Announced) -> Incoming:
        """Return what takes the next object."""

    def close(self) -> None:
        """Know that nothing more comes, and that no `Incoming` is at work any more."""


class Storage(Protocol):
    """What keeps the objects of all associations."""

    def has_room(self) -> bool:
        """Tell whether a new association makes sense; called in a thread."""

    def open(self, caller: Caller) -> StorageSession:
        """Begin an association; called in the event loop."""


class Operation(IntEnum):
    """The normalized operations that are answered, by their command field (PS3.7 E.1)."""

    N_EVENT_REPORT = 0x0100
    N_ACTION = 0x0130


@dataclass(frozen=True)
class NormalizedRequest:
    """A normalized request. Its data set is as it came: bytes that nobody has looked at."""

    operation: Operation
    sop_class_uid: Uid
    sop_instance_uid: Uid
    type_id: int  # Action Type ID or Event Type ID
    data_set: bytes
    transfer_syntax_uid: Uid


@dataclass(frozen=True)
class EventReport:
    """An N-EVENT-REPORT to send on the association that is open already.

    `answered` is called once, in a thread: with the peer's status, or with None if the association
    ended without one (then report on an association of your own).
    """

    event_type_id: int
    sop_class_uid: Uid
    sop_instance_uid: Uid
    data_set: bytes  # in the transfer syntax of the request
    answered: Callable[[int | None], None]


@dataclass(frozen=True)
class NormalizedResponse:
    """What is answered, and what is sent after it on the same association."""

    status: int
    data_set: bytes = b""  # in the transfer syntax of the request
    report: EventReport | None = None


@dataclass(frozen=True)
class NormalizedService:
    """Answers one operation of one SOP class.

    With N-EVENT-REPORT we are its SCU: a peer that opens an association to report proposes the
    role of SCP for itself (PS3.7 D.3.3.4), and gets it.
    """

    abstract_syntax: Uid
    operation: Operation
    answer: Callable[[Caller, NormalizedRequest], NormalizedResponse]
