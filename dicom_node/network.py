"""What the receiver and the sender set alike on pynetdicom and on their sockets."""

from __future__ import annotations

import logging
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pynetdicom import AE, _config
from pynetdicom.dimse import DIMSEServiceProvider
from pynetdicom.transport import AssociationSocket

from dicom_node.errors import InvalidAeTitle
from dicom_node.part10 import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION

if TYPE_CHECKING:
    from ssl import SSLContext

    from pynetdicom.association import Association
    from pynetdicom.dimse_primitives import DimseServiceType
    from pynetdicom.events import Event
    from pynetdicom.transport import AddressInformation

MAXIMUM_PDU = 131072
"""Bytes of one PDU that we take; the default of 16382 is a seventh slower (dicom.md C1)."""
MAXIMUM_ASSOCIATION_REQUEST = 1024 * 1024
MAXIMUM_AE_TITLE = 16
_QUICK_ACK = getattr(socket, "TCP_QUICKACK", None)  # Linux has it


@dataclass(frozen=True)
class Timeouts:
    """How long a peer may take, in seconds."""

    connect_s: float = 10.0
    negotiate_s: float = 10.0
    answer_s: float = 60.0
    idle_s: float = 60.0
    read_s: float = 30.0  # between two packets inside one PDU


def check_ae_title(title: str) -> str:
    """Return `title`; raises `InvalidAeTitle` if no peer could be called or call itself so."""
    if not title.strip() or len(title) > MAXIMUM_AE_TITLE:
        raise InvalidAeTitle(
            f"the AE title {title!r} does not have 1 to {MAXIMUM_AE_TITLE} characters"
        )
    if not (title.isascii() and title.isprintable()) or "\\" in title:
        raise InvalidAeTitle(f"the AE title {title!r} has a character that AE titles may not have")
    return title


def silence_libraries() -> None:
    """Log nothing of pynetdicom and pydicom.

    They log values and identifiers (patient data) at several levels; we log what we know ourselves,
    without them.
    """
    for library in ("pynetdicom", "pydicom"):
        logging.getLogger(library).setLevel(logging.CRITICAL + 1)
    _config.LOG_HANDLER_LEVEL = "none"
    _config.LOG_REQUEST_IDENTIFIERS = False
    _config.LOG_RESPONSE_IDENTIFIERS = False


def application_entity(ae_title: str, timeouts: Timeouts) -> AE:
    """Return an application entity with our identity and time limits, and a silent library."""
    silence_libraries()
    # A path given to send_c_store then goes out byte for byte, never decoded and re-encoded.
    _config.STORE_SEND_CHUNKED_DATASET = True
    entity = CallingEntity(check_ae_title(ae_title))
    entity.implementation_class_uid = IMPLEMENTATION_CLASS_UID
    entity.implementation_version_name = IMPLEMENTATION_VERSION
    entity.maximum_pdu_size = MAXIMUM_PDU
    entity.connection_timeout = timeouts.connect_s
    entity.acse_timeout = timeouts.negotiate_s
    entity.dimse_timeout = timeouts.answer_s
    entity.network_timeout = timeouts.idle_s
    return entity


def send_at_once(event: Event) -> None:
    """Switch Nagle's algorithm off: with it small objects go 25 times slower (fact 10)."""
    wrapped = event.assoc.dul.socket
    if wrapped is not None and wrapped.socket is not None:
        wrapped.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class NodeSocket(AssociationSocket):
    """An association's socket with faults of pynetdicom 3.0.4 cured.

    Stock, it buffers whatever PDU length a peer announces, up to 4 GiB (B1 row 3), and leaves a
    socket open whose peer has gone before it. Quick acknowledgement, which the kernel switches
    off by itself, keeps peers with Nagle's algorithm on from crawling (performance.md 1).
    """

    def recv(self, nr_bytes: int) -> bytearray:
        """Read, or raise OSError, which ends the association."""
        if nr_bytes > MAXIMUM_ASSOCIATION_REQUEST:
            raise OSError("the peer announced a PDU longer than any we take")
        if self.socket is not None and _QUICK_ACK is not None:
            self.socket.setsockopt(socket.IPPROTO_TCP, _QUICK_ACK, 1)
        return super().recv(nr_bytes)

    def _shutdown_socket(self) -> None:
        left = self.socket
        super()._shutdown_socket()
        if left is not None:
            left.close()


class AnswersForCallers(DIMSEServiceProvider):
    """Messages of an association of which nobody but who asked gets the answer.

    pynetdicom 3.0.4's thread that serves a peer's requests looks for them while a caller sends. It
    is told to pause, but one that was about to look still does (`Association._run_reactor`), takes
    the answer of a quick peer, and the caller waits for it until its time is up.
    """

    def get_msg(self, block: bool = False) -> tuple[int, DimseServiceType] | tuple[None, None]:
        """Return the next message; without `block`, as that thread asks, no answer."""
        if block:
            return super().get_msg(block=True)
        with self.msg_queue.mutex:
            waiting = self.msg_queue.queue[0][1] if self.msg_queue.queue else None
        if waiting is None or waiting.MessageIDBeingRespondedTo is not None:
            return None, None
        return super().get_msg(block=False)


class CallingEntity(AE):
    """An application entity whose outgoing associations use the two classes above."""

    def _create_socket(
        self,
        assoc: Association,
        address: AddressInformation,
        tls_args: tuple[SSLContext, str] | None,
    ) -> AssociationSocket:
        made = super()._create_socket(assoc, address, tls_args)
        made.__class__ = NodeSocket
        assoc.dimse.__class__ = AnswersForCallers
        return made


def guard(event: Event, read_s: float) -> None:
    """Protect an accepted connection: no delay, a limit on stalls, a limit on PDU length."""
    send_at_once(event)
    wrapped = event.assoc.dul.socket
    if wrapped is not None and wrapped.socket is not None:
        wrapped.socket.settimeout(read_s)
        wrapped.__class__ = NodeSocket
