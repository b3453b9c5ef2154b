"""One connection: bytes in, PDUs out of them, deadlines, and its end.

Reading pauses while a message is being answered, so a peer that sends without waiting fills its own
buffers and not ours (B1 row 5). At any time one deadline runs, or none: nothing is polled.
"""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Protocol, cast

from dicom_node.acceptor.framing import PduBuffer
from dicom_node.acceptor.violations import Violation
from dicom_node.vitals import Ending

if TYPE_CHECKING:
    from dicom_node.acceptor.framing import PduType
    from dicom_node.acceptor.limits import Limits

_QUICK_ACK = getattr(socket, "TCP_QUICKACK", None)  # Linux has it
_READ_BYTES = 256 * 1024  # at once, of an association


class Upper(Protocol):
    """What lives on a connection."""

    def opened(self, transport: asyncio.Transport) -> None:
        """Begin."""

    def pdu(self, kind: PduType, body: memoryview) -> None:
        """Take a whole PDU; raises `Violation`."""

    def violated(self, violation: Violation) -> None:
        """End: the peer did what it may not do, or did nothing for too long."""

    def seconds_left(self) -> float | None:
        """Return how long the message under way may still take, None if there is none."""

    def lost(self) -> None:
        """Know that the connection is gone."""


class Connection(asyncio.BufferedProtocol):
    """The transport's end of an association."""

    def __init__(self, limits: Limits, upper: Upper) -> None:
        """Wait for a peer."""
        self._limits = limits
        self._upper = upper
        self._buffer = PduBuffer(limits.request_bytes)
        self._transport: asyncio.Transport
        self.socket: socket.socket
        """Below the transport; only its options are used."""
        self._loop = asyncio.get_running_loop()
        self._deadline: asyncio.TimerHandle | None = None
        self._until_request = True  # one deadline for all of the request
        self._inside = False  # a PDU, whose deadline runs
        self._held = False
        self._unread = False  # the peer does not take what we answer
        self._leaving = False
        self._closed = False

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to read."""
        self._transport = cast("asyncio.Transport", transport)
        self.socket = transport.get_extra_info("socket")
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._allow(self._limits.request_s, Ending.SLOW)
        self._upper.opened(self._transport)

    def get_buffer(self, _size_hint: int) -> memoryview:
        """Return where the next bytes go."""
        return self._buffer.free()

    def buffer_updated(self, count: int) -> None:
        """Take `count` bytes that were read."""
        if self._leaving:
            return  # and read over them again
        if _QUICK_ACK is not None:  # the kernel switches it off by itself (performance.md 1)
            self.socket.setsockopt(socket.IPPROTO_TCP, _QUICK_ACK, 1)
        self._buffer.filled(count)
        self._take()

    def feed(self, early: bytes | bytearray) -> None:
        """Take bytes that were read before the connection was ours."""
        if self._buffer.put(early):
            self._take()
        else:
            self.cut()

    def pause_writing(self) -> None:
        """Read no more until the peer has read."""
        self._unread = True
        self._transport.pause_reading()
        self._allow(self._limits.send_s, Ending.SLOW)

    def resume_writing(self) -> None:
        """Read on."""
        self._unread = False
        self._go_on()

    def connection_lost(self, _error: Exception | None) -> None:
        """Tell that it is over."""
        self._closed = self._leaving = True
        self._stop_deadline()
        self._upper.lost()

    # What an association calls

    def associated(self) -> None:
        """Take PDUs of an association from now on."""
        self._until_request = False
        early = self._buffer.rest()
        self._buffer = PduBuffer(max(self._limits.pdu_bytes, len(early)), _READ_BYTES)
        self._buffer.put(early)

    def send(self, encoded: bytes) -> None:
        """Send PDUs."""
        if not self._leaving:
            self._transport.write(encoded)

    def hold(self) -> None:
        """Look at nothing more until `release`; no deadline runs: the peer waits for us."""
        if not (self._held or self._leaving):
            self._held = True
            self._transport.pause_reading()
            self._stop_deadline()

    def release(self) -> None:
        """Look at what has come and read on."""
        self._held = False
        self._go_on()

    def leave(self, last: bytes = b"") -> None:
        """Send `last` and end. The peer may close first, for a moment (ARTIM, PS3.8 9.1.5).

        Whatever still comes is dropped unseen: closing at once would reset the connection over
        unread bytes, and the peer might never see `last`.
        """
        if self._leaving:
            return
        self.send(last)
        self._leaving = True
        self._buffer = PduBuffer(0, 64 * 1024)
        if self._transport.can_write_eof():
            self._transport.write_eof()
        self._transport.resume_reading()
        self._say_farewell()

    def close(self, last: bytes = b"") -> None:
        """Send `last` and close now."""
        self.send(last)
        self._leaving = True
        self._transport.close()
        self._say_farewell()

    def cut(self) -> None:
        """Close without sending what is left to send."""
        self._leaving = True
        self._transport.abort()

    # Inside

    @property
    def _listens(self) -> bool:
        """Whether what the peer sends is looked at now."""
        return not (self._held or self._unread or self._leaving)

    def _say_farewell(self) -> None:
        """Close the connection in a moment, whatever the peer does or leaves unread."""
        self._stop_deadline()
        if not self._closed:
            self._deadline = self._loop.call_later(self._limits.farewell_s, self._transport.abort)

    def _go_on(self) -> None:
        if self._listens:
            self._take()
        if self._listens:
            self._transport.resume_reading()

    def _take(self) -> None:
        try:
            while self._listens and (pdu := self._buffer.take()) is not None:
                self._inside = False
                self._upper.pdu(*pdu)
        except Violation as violation:
            self._upper.violated(violation)
        self._set_deadline()

    def _set_deadline(self) -> None:
        """Choose the deadline of what is awaited now."""
        if not self._listens or self._until_request:
            return
        if not self._buffer.partial:
            self._inside = False
            self._allow(self._limits.idle_s, Ending.IDLE)
        elif not self._inside:
            self._inside = True
            self._allow(self._limits.pdu_s, Ending.SLOW)

    def _allow(self, seconds: float, ending: Ending) -> None:
        left = self._upper.seconds_left()
        if left is not None and left < seconds:
            seconds, ending = max(left, 0.0), Ending.SLOW
        self._stop_deadline()
        late = Violation("the peer took longer than it may", ending, 0)
        self._deadline = self._loop.call_later(seconds, self._upper.violated, late)

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
