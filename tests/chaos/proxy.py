"""A TCP proxy that does to a connection what networks do: delay, cut, half-open, trickle, reset."""

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

_CHUNK = 65536


class Kind(StrEnum):
    PASS = "pass"  # noqa: S105 - not a password
    DELAY = "delay"  # each piece waits `seconds`
    TRICKLE = "trickle"  # one byte in `seconds`
    CUT = "cut"  # closed after `after` bytes
    RESET = "reset"  # the same, with a TCP RST
    HALF_OPEN = "half-open"  # nothing goes through after `after` bytes, and nobody is told


@dataclass(frozen=True)
class Fault:
    """What happens to the bytes from the client to the server."""

    kind: Kind = Kind.PASS
    after: int = 0
    seconds: float = 0.0


class FaultProxy:
    """Listens on `port`; a new `fault` counts for open connections too, from their next bytes."""

    def __init__(self, target_port: int, fault: Fault | None = None) -> None:
        self.fault = fault or Fault()
        self._target = ("127.0.0.1", target_port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # A shutdown first: a close alone leaves the thread that accepts where it is.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        for one in (self._listener, *self._open):
            one.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                with contextlib.suppress(OSError):  # one that is gone already ends no other
                    self._serve(client)

    def _serve(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(self._target, 5)
        except OSError:
            client.close()
            return
        server.settimeout(None)
        self._open += [client, server]
        for one, other, fault in ((client, server, lambda: self.fault), (server, client, Fault)):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=_pump, args=(one, other, fault), daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket, told: Callable[[], Fault]) -> None:
    passed = 0
    fault = told()
    with contextlib.suppress(OSError):
        while piece := source.recv(1 if fault.kind is Kind.TRICKLE else _CHUNK):
            fault = told()
            ends = fault.kind in (Kind.CUT, Kind.RESET)
            if fault.kind in (Kind.DELAY, Kind.TRICKLE):
                time.sleep(fault.seconds)
            if fault.kind is Kind.HALF_OPEN or ends:
                piece = piece[: max(0, fault.after - passed)]
            sink.sendall(piece)
            passed += len(piece)
            if ends and passed >= fault.after:
                break
    for one in (source, sink):
        if fault.kind is Kind.RESET:  # a close without a lingering one sends RST
            with contextlib.suppress(OSError):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR) if fault.kind is not Kind.RESET else one.close()
