"""What plugs into the acceptor: who may come in, what keeps objects, what answers the rest.

The acceptor knows PDUs and commands and no more. It is given
    admit(caller)            returns a rule, or raises `AssociationRefused`     in a thread
    Storage                  keeps what C-STORE sends                           see its methods
    NormalizedService, ...   answers N-ACTION or N-EVENT-REPORT of one class    in a thread

Nothing that is called in a thread may wait for a peer: there are few threads.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    from dicom_node.certificates import PeerCertificate
    from dicom_node.gate import Rule
    from dicom_node.uid import Uid


@dataclass(frozen=True)
class Caller:
    """Who asks for an association. Titles are what the peer wrote, without padding."""

    calling_ae_title: str
    called_ae_title: str
    address: str  # IP address
    certificate: PeerCertificate | None = None


Admission: TypeAlias = "Callable[[Caller], Rule]"
"""`dicom_node.gate.Gate.admit`."""


@dataclass(frozen=True)
class Announced:
    """What a C-STORE request says of the object that follows, and its presentation context.

    The first two are what the peer wrote: they have to be checked before any use.
    """

    sop_class_uid: bytes
    sop_instance_uid: bytes
    abstract_syntax: Uid
    transfer_syntax_uid: Uid


class Incoming(Protocol):
    """One object on its way in. Its methods are called in threads, one at a time.

    None of them raises: an object that cannot be kept swallows what still comes and says so at
    the end. Either `finish` or `discard` is called last, once.
    """

    def write(self, chunk: bytes | bytearray) -> None:
        """Take more bytes of the data set."""

    def finish(self, rest: bytes | bytearray) -> int:
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

    def open(self, caller: Caller, rule: Rule) -> StorageSession:
        """Begin an association that `rule` lets in; called in the event loop."""


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
