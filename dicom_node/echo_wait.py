"""Wait for a peer's C-ECHO before the node runs: the way in, tried from the other end."""

from __future__ import annotations

import queue
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pynetdicom import evt

from dicom_node.certificates import peer_certificate
from dicom_node.contexts import EXPLICIT_LE, IMPLICIT_LE, VERIFICATION
from dicom_node.errors import PortUnavailable
from dicom_node.network import Timeouts, application_entity, guard

if TYPE_CHECKING:
    from pynetdicom.events import Event

    from dicom_node.certificates import PeerCertificate

_SUCCESS = 0x0000


@dataclass(frozen=True)
class EchoHeard:
    """Who asked for an answer, and whom they called."""

    calling_ae_title: str
    called_ae_title: str
    address: str
    certificate: PeerCertificate | None = None


def wait_for_echo(
    ae_title: str, host: str, port: int, seconds: float, tls: ssl.SSLContext | None = None
) -> EchoHeard | None:
    """Listen where the node will; answer the first C-ECHO and return it, or None after `seconds`.

    Whatever AE titles the peer uses are answered: the caller says which of them are wrong. With
    `tls` only who comes over TLS is heard.

    Raises:
        PortUnavailable: something listens there already, the node itself perhaps.

    """
    heard: queue.SimpleQueue[EchoHeard] = queue.SimpleQueue()

    def answer(event: Event) -> int:
        asking, asked = event.assoc.requestor, event.assoc.requestor.primitive
        called = "" if asked is None else str(asked.called_ae_title)
        heard.put(
            EchoHeard(
                _shown(asking.ae_title), _shown(called), str(asking.address), _certificate(event)
            )
        )
        return _SUCCESS

    timeouts = Timeouts()
    entity = application_entity(ae_title, timeouts)
    entity.add_supported_context(VERIFICATION, [EXPLICIT_LE, IMPLICIT_LE])
    opened, echoed = (evt.EVT_CONN_OPEN, guard, [timeouts.read_s]), (evt.EVT_C_ECHO, answer)
    try:
        server = entity.start_server(
            (host, port), block=False, evt_handlers=[opened, echoed], ssl_context=tls
        )
    except OSError as error:
        message = f"cannot listen on {host}:{port}: {error.strerror}"
        raise PortUnavailable(message) from error
    try:
        return heard.get(timeout=seconds)
    except queue.Empty:
        return None
    finally:
        if server is not None:
            server.shutdown()
        for association in entity.active_associations:
            association.join(2.0)  # it still has to release


def _certificate(event: Event) -> PeerCertificate | None:
    wrapped = event.assoc.dul.socket
    plain = None if wrapped is None else wrapped.socket
    return peer_certificate(plain) if isinstance(plain, ssl.SSLSocket) else None


def _shown(title: str) -> str:
    """Return a title as it may be printed: it came from the network."""
    return "".join(c if c.isascii() and c.isprintable() else "?" for c in title.strip())
