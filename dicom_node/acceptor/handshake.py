"""TLS before an association: beside everything else, with a deadline (B1 row 4)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from dicom_node.acceptor.association import Association
from dicom_node.rejection import HandshakeFailed
from dicom_node.tls_alerts import SAY
from dicom_node.vitals import AssociationRejected, ConnectionEnded, Ending

if TYPE_CHECKING:
    import ssl

    from dicom_node.acceptor.house import House
    from dicom_node.vitals import NodeVital


class Handshake(asyncio.Protocol):
    """A connection until TLS stands; an `Association` takes it over then.

    It counts as a connection that waits, so handshakes cannot pile up either.
    """

    def __init__(self, house: House, context: ssl.SSLContext) -> None:
        """Wait for a connection."""
        self.address = ""
        self._house = house
        self._context = context
        self._transport: asyncio.Transport
        self._early = bytearray()  # what came with the end of the handshake
        self._association: Association | None = None
        self._lost = False
        self._task: asyncio.Task[None]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.pause_reading()
        peer = transport.get_extra_info("peername")
        self.address = str(peer[0]) if peer else ""
        self._house.guests.come(self)
        self._house.doorway.wait(self)
        self._task = asyncio.get_running_loop().create_task(self._shake())

    def data_received(self, data: bytes) -> None:
        """Keep what comes before the association takes over."""
        self._early += data

    def connection_lost(self, error: Exception | None) -> None:
        """Know that it is gone, or tell who took it over: asyncio may have chosen us before."""
        self._lost = True
        if self._association is not None:
            self._association.connection.connection_lost(error)

    def put_out(self) -> None:
        """Make room for another."""
        self._transport.abort()

    def stop(self, *, now: bool) -> None:  # noqa: ARG002 - there is no object under way
        """End."""
        self._transport.abort()

    def cut(self) -> None:
        """End."""
        self._transport.abort()

    async def _shake(self) -> None:
        limits = self._house.limits
        loop = asyncio.get_running_loop()
        SAY.set(self._transport.write)  # of this task and of what it calls
        why: NodeVital = AssociationRejected(HandshakeFailed.label)
        try:
            secured = await loop.start_tls(
                self._transport,
                self,
                self._context,
                server_side=True,
                ssl_handshake_timeout=limits.handshake_s,
                ssl_shutdown_timeout=limits.farewell_s,
            )
        except ConnectionResetError:  # who looks whether a port is open says nothing wrong
            secured, why = None, ConnectionEnded(Ending.PEER, associated=False)
        except OSError:  # also ssl.SSLError, and the deadline
            secured = None
        finally:
            self._house.doorway.leave(self)
            self._house.guests.go(self)
        if secured is None or self._lost:
            self._transport.abort()
            self._house.tell(why)
            if isinstance(why, AssociationRejected):
                self._house.unproven(self.address)
            return
        self._give_to(Association(self._house), secured)

    def _give_to(self, association: Association, secured: asyncio.Transport) -> None:
        self._association = association
        secured.set_protocol(association.connection)
        association.connection.connection_made(secured)
        if self._early:
            association.connection.feed(self._early)
