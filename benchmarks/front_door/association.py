"""One association of a sender, on a blocking socket."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING, Self

from benchmarks.front_door import dimse
from benchmarks.front_door.dimse import MR_IMAGE, VERIFICATION

if TYPE_CHECKING:
    import ssl
    from types import TracebackType

    from benchmarks.front_door.images import Image

MAXIMUM_PDU = 131072
ECHO_CONTEXT, STORE_CONTEXT = 1, 3
_CONTEXTS = {ECHO_CONTEXT: VERIFICATION, STORE_CONTEXT: MR_IMAGE}


class PeerError(Exception):
    """The peer said no, or nothing."""


class Association:
    """Asks for an association; stores and asks for echoes until it is left."""

    def __init__(
        self,
        port: int,
        called: str,
        *,
        seconds: float = 60.0,
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
    ) -> None:
        """Call a receiver on this machine; `seconds` is the limit of each wait.

        Raises `PeerError` where it refuses, is silent or goes.
        """
        self._number = 0
        self._tails: dict[int, list[bytes | memoryview]] = {}
        self._whole = socket.MSG_WAITALL if tls is None else 0  # TLS knows no flags
        try:
            self.socket = connected(port, seconds, host)
            if tls is not None:
                self.socket.settimeout(seconds)  # TLS does not heed the kernel's limits
                self.socket = tls.wrap_socket(self.socket)
        except OSError as error:
            raise PeerError(f"no connection: {error}") from error
        self.send(dimse.association_request(called, _CONTEXTS, MAXIMUM_PDU))
        kind, body = self.receive()
        if kind != dimse.ASSOCIATE_AC:
            self.socket.close()
            raise PeerError(f"no association: PDU of type {kind} with {body.hex(' ')}")
        self.accepted = dimse.read_accept(body)

    def __enter__(self) -> Self:
        """Be the association."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Release it where all went well, and close."""
        try:
            if error is None:
                self.release()
        finally:
            self.socket.close()

    def echo(self) -> int:
        """Ask for an echo; return the status."""
        self.send(dimse.echo_request(ECHO_CONTEXT))
        return self.status()

    def store(self, image: Image, pixels: bytes) -> int:
        """Send one instance; return the status."""
        self.send_store(image, pixels)
        return self.status()

    def send_store(self, image: Image, pixels: bytes, uid: str | None = None) -> None:
        """Send one instance, under another UID in the command if given; leave the answer."""
        self._number += 1
        command = dimse.store_request(STORE_CONTEXT, uid or image.uid, self._number)
        head = len(image.head)
        if head not in self._tails:
            self._tails[head] = self._tail(head, memoryview(pixels))
        before, first, *tail = self._tails[head]
        self._send_parts([command, before, image.head, first, *tail])

    def send(self, message: bytes) -> None:
        """Send bytes as they are."""
        try:
            self.socket.sendall(message)
        except OSError as error:
            raise PeerError(f"cannot send: {error}") from error

    def receive(self) -> tuple[int, bytes]:
        """Return type and body of the next PDU."""
        kind, length = struct.unpack(">BxI", self._exactly(dimse.HEADER_BYTES))
        return kind, self._exactly(length)

    def release(self) -> None:
        """End the association as one should."""
        self.send(dimse.RELEASE)
        self.receive()

    def status(self) -> int:
        """Return the status of the next answer."""
        kind, body = self.receive()
        if kind != dimse.P_DATA:
            raise PeerError(f"PDU of type {kind} in place of an answer")
        return dimse.status_of(body)

    def _tail(self, head: int, pixels: memoryview) -> list[bytes | memoryview]:
        """Return what is the same for every instance: all but command and head."""
        parts: list[bytes | memoryview] = []
        length = head + len(pixels)
        most = self.accepted.maximum_pdu
        for before, begin, end in dimse.data_headers(STORE_CONTEXT, length, most):
            parts += [before, pixels[max(0, begin - head) : end - head]]
        return parts

    def _send_parts(self, parts: list[bytes | memoryview]) -> None:
        try:
            sent = self.socket.sendmsg(parts)
            if sent < sum(map(len, parts)):
                self.socket.sendall(b"".join(parts)[sent:])
        except OSError as error:
            raise PeerError(f"cannot send: {error}") from error

    def _exactly(self, length: int) -> bytes:
        try:
            content = self.socket.recv(length, self._whole) if length else b""
            while len(content) < length:
                more = self.socket.recv(length - len(content))
                if not more:
                    break
                content += more
        except OSError as error:
            raise PeerError(f"no answer: {error}") from error
        if len(content) < length:
            raise PeerError("the peer closed the connection")
        return content


def connected(port: int, seconds: float, host: str = "127.0.0.1") -> socket.socket:
    """Return a connection without Nagle's algorithm, whose waits end after `seconds`.

    The limits are the kernel's: Python's own would cost two calls more for each of ours.
    """
    made = socket.socket()
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    limit = struct.pack("ll", int(seconds), int(seconds % 1 * 10**6))
    made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
    try:
        made.bind((host, 0))
        made.connect(("127.0.0.1", port))
    except OSError:
        made.close()
        raise
    return made
