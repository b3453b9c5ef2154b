"""Peers that say nothing, or stop in the middle."""

from __future__ import annotations

import select
import time
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from benchmarks.front_door import dimse
from benchmarks.front_door.association import STORE_CONTEXT, connected
from benchmarks.front_door.finding import Abuse, first_answer_s, judged_wait, started

if TYPE_CHECKING:
    import socket

    from benchmarks.front_door.finding import Bench, Judged
    from benchmarks.front_door.receivers import Receiver, Running

LOCK_OUT_S = 40.0
STALL_S = 45.0
TLS_S = 20.0
_CONNECT_S = 1.0
_TRIES = 3
_SETTLE_S = 1.0
_STRANGER = "127.0.0.2"


def _few(receiver: Receiver, bench: Bench) -> Judged:
    return _locked_out(receiver, bench, 12, "127.0.0.1")


def _many(receiver: Receiver, bench: Bench) -> Judged:
    return _locked_out(receiver, bench, 100, _STRANGER)


def _locked_out(receiver: Receiver, bench: Bench, n: int, host: str) -> Judged:
    with started(receiver, bench) as peer, ExitStack() as idle:
        held = _hold(idle, peer, n, host)
        time.sleep(_SETTLE_S)
        passed, figure = judged_wait(first_answer_s(peer, LOCK_OUT_S), LOCK_OUT_S)
        return passed, figure if held == n else f"{figure} ({held} connections)"


def _hold(idle: ExitStack, peer: Running, n: int, host: str) -> int:
    """Open connections; return how many the receiver's system took before it took no more."""
    for number in range(n):
        for _ in range(_TRIES):
            with suppress(OSError):  # its queue is full
                idle.enter_context(connected(peer.place.port, _CONNECT_S, host))
                break
        else:
            return number
    return n


def _stalled(receiver: Receiver, bench: Bench) -> Judged:
    """Stop in a data set's PDU and in an association request, and see when each is let go."""
    with started(receiver, bench) as peer:
        association = peer.call()
        image = bench.images.image(0, 0)
        half = dimse.store_request(STORE_CONTEXT, image.uid, 1) + dimse.header(dimse.P_DATA, 4096)
        association.send(half + bytes(100))
        request = connected(peer.place.port, _CONNECT_S)
        request.sendall(dimse.association_request(receiver.called, {}, 16384)[:40])
        answered = peer.answers(5.0)
        with association.socket, request:
            freed = _freed_s([association.socket, request])
    meanwhile = "others are answered" if answered else "others are not answered"
    data, asking = (f"not in {STALL_S:.0f} s" if s is None else f"after {s:.0f} s" for s in freed)
    return None not in freed and answered, f"data freed {data}, request {asking}; {meanwhile}"


def _freed_s(stalled: list[socket.socket]) -> list[float | None]:
    """Return when each was closed by its peer."""
    begun = time.monotonic()
    freed: dict[socket.socket, float] = {}
    while len(freed) < len(stalled) and time.monotonic() - begun < STALL_S:
        waiting = [one for one in stalled if one not in freed]
        for one in select.select(waiting, [], [], 1.0)[0]:
            if _closed(one):
                freed[one] = time.monotonic() - begun
    return [freed.get(one) for one in stalled]


def _closed(connection: socket.socket) -> bool:
    try:
        return not connection.recv(4096)  # an A-ABORT may come first
    except OSError:
        return True


def _silent_tls(receiver: Receiver, bench: Bench) -> Judged:
    with (
        started(receiver, bench, {"tls": bench.certificate}) as peer,
        connected(peer.place.port, _CONNECT_S),
    ):
        return judged_wait(first_answer_s(peer, TLS_S), TLS_S)


_ANSWERED = "another sender's echo is answered within 1 s"
ABUSES = (
    Abuse("12 connections that say nothing", _ANSWERED, _few, waits=True),
    Abuse("100 silent connections from another address", _ANSWERED, _many, waits=True),
    Abuse(
        "a peer stops in the middle of a PDU",
        f"the connection is freed within {STALL_S:.0f} s, others are answered",
        _stalled,
        waits=True,
    ),
    Abuse("TLS: a connection that never shakes hands", _ANSWERED, _silent_tls, waits=True),
)
