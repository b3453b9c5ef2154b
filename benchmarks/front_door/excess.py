"""Peers that announce or send more than anybody should take."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from benchmarks.front_door import dimse
from benchmarks.front_door.association import PeerError, connected
from benchmarks.front_door.finding import MB, Abuse, started

if TYPE_CHECKING:
    import socket

    from benchmarks.front_door.finding import Bench, Judged
    from benchmarks.front_door.receivers import Receiver, Running

_MOST = 256 * MB
_BLOCK = bytes(2**16)
_LOOK_EVERY = 16 * MB
_GROWTH = 32 * MB
_PIPELINED = 1000
_PATIENCE_S = 5.0


def _request(receiver: Receiver, bench: Bench) -> Judged:
    with (
        started(receiver, bench) as peer,
        connected(peer.place.port, _PATIENCE_S) as connection,
    ):
        return _flooded(peer, connection, dimse.ASSOCIATE_RQ)


def _data(receiver: Receiver, bench: Bench) -> Judged:
    with started(receiver, bench) as peer:
        association = peer.call(_PATIENCE_S)
        with association.socket as connection:
            return _flooded(peer, connection, dimse.P_DATA)


def _flooded(peer: Running, connection: socket.socket, kind: int) -> Judged:
    """Announce a PDU of 4 GiB and send of it until the receiver will not have more."""
    before, peak, sent = peer.peak_bytes(), 0, 0
    with suppress(OSError):
        connection.sendall(dimse.header(kind, 2**32 - 2))
        while sent < _MOST:
            connection.sendall(_BLOCK)
            sent += len(_BLOCK)
            if sent % _LOOK_EVERY < len(_BLOCK):
                peak = max(peak, peer.peak_bytes())
    growth = max(peak, peer.peak_bytes()) - before
    return growth < _GROWTH, f"+{growth / MB:.0f} MB of memory, {sent / MB:.0f} MB taken"


def _pipelined(receiver: Receiver, bench: Bench) -> Judged:
    """Send image after image and wait for no answer."""
    with started(receiver, bench) as peer:
        before, peak, sent, begun = peer.peak_bytes(), 0, 0, time.monotonic()
        association = peer.call(_PATIENCE_S)
        with association.socket, suppress(PeerError):
            for image in bench.images.study(1, _PIPELINED):
                association.send_store(image, bench.images.pixels)
                sent += bench.images.size_bytes
                if sent % _LOOK_EVERY < bench.images.size_bytes:
                    peak = max(peak, peer.peak_bytes())
        growth = max(peak, peer.peak_bytes()) - before
        took_s = time.monotonic() - begun
    sent_mb = sent / MB
    return growth < _GROWTH, f"+{growth / MB:.0f} MB of memory, {sent_mb:.0f} MB in {took_s:.1f} s"


_FLAT = f"memory grows by less than {_GROWTH / MB:.0f} MB"
ABUSES = (
    Abuse("an association request of 4 GiB", _FLAT, _request),
    Abuse("a data PDU of 4 GiB", _FLAT, _data),
    Abuse(f"{_PIPELINED} images, no answer waited for", _FLAT, _pipelined),
)
