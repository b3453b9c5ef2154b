"""Listens, in one event loop in a thread of its own."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import traceback
from typing import TYPE_CHECKING, Any

from dicom_node.acceptor.association import Association
from dicom_node.acceptor.handshake import Handshake
from dicom_node.errors import PortUnavailable

if TYPE_CHECKING:
    import ssl

    from dicom_node.acceptor.connection import Connection
    from dicom_node.acceptor.house import House

_log = logging.getLogger(__name__)
_BACKLOG = 128


class Acceptor:
    """The listening socket and the loop behind it."""

    def __init__(self, house: House, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        """Listen at once, and accept after `start`; raises `PortUnavailable`."""
        self._house = house
        self._tls = tls
        self._socket = _listening(host, port)
        self.port: int = self._socket.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="acceptor", daemon=True)
        self._accepting = threading.Event()
        self._stop = asyncio.Event()

    def start(self) -> None:
        """Accept connections."""
        self._thread.start()
        self._accepting.wait()

    def stop(self) -> None:
        """Take no new connection, let objects in flight finish for a moment, end the rest."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self) -> None:
        self._loop.set_exception_handler(_log_defect)
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._accepting.set()  # or whoever starts would wait for ever
            self._house.pools.close()
            self._loop.close()

    async def _serve(self) -> None:
        server = await self._loop.create_server(self._made, sock=self._socket, backlog=_BACKLOG)
        self._accepting.set()
        await self._stop.wait()
        server.close()
        await asyncio.sleep(0)  # who was accepted just now becomes a guest
        await self._house.guests.end(self._house.limits.stop_s)

    def _made(self) -> Connection | Handshake:
        if self._tls is not None:
            return Handshake(self._house, self._tls)
        return Association(self._house).connection


def _listening(host: str, port: int) -> socket.socket:
    try:
        family, *_, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        return socket.create_server(address[:2], family=family, backlog=_BACKLOG)
    except OSError as error:
        message = f"cannot listen on {host}:{port}: {error.strerror}"
        raise PortUnavailable(message) from error


def _log_defect(_loop: asyncio.AbstractEventLoop, told: dict[str, Any]) -> None:
    """Log kind and place of what nobody expected in the loop, never its text."""
    error = told.get("exception")
    frames = traceback.extract_tb(error.__traceback__) if error is not None else []
    place = f"{frames[-1].name}:{frames[-1].lineno}" if frames else "an unknown place"
    text = "bug in the acceptor: %s at %s"
    _log.error(text, type(error).__name__, place, extra={"event": "defect", "code": "INTERNAL"})
