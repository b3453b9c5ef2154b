"""D-15 and D-16: fifty senders among a hundred idle peers, and peers that stall in every way."""

import threading
import time
from contextlib import ExitStack

from tests.dicom_node.acceptor import wire
from tests.dicom_node.acceptor.conftest import ECHO_CONTEXT, MR_CONTEXT, incoming
from tests.dicom_node.acceptor.door_process import door_process, peak_mb
from tests.dicom_node.acceptor.wire import Peer

SENDERS = 50
IDLE = 100
OTHER_ADDRESS = "127.0.0.2"


def send(port, number, count, statuses):
    with Peer(port, timeout=60) as peer:
        peer.associate(MR_CONTEXT)
        for instance in range(count):
            name = b"1.2.%d.%d" % (number + 10, instance + 1)
            statuses.append(peer.store(name, bytes(150_000)))
        peer.release()


def test_fifty_senders_among_a_hundred_idle_associations(tmp_path, full):
    count = 20 if full else 4
    with door_process(tmp_path) as here, ExitStack() as open_peers:
        for _ in range(IDLE):
            open_peers.enter_context(Peer(here.port)).associate()
        statuses = []
        senders = [
            threading.Thread(target=send, args=(here.port, number, count, statuses))
            for number in range(SENDERS)
        ]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        assert statuses == [0] * (SENDERS * count)
        assert len(list(here.spool.rescan())) == SENDERS * count
        assert incoming(here.spool) == []
        assert peak_mb(here.process) < 150
        # What a hundred idle associations cost: nothing wakes up for them.
        before = sum(here.process.cpu_times()[:2])
        time.sleep(2)
        assert sum(here.process.cpu_times()[:2]) - before <= 0.04


def stalled_request(port, _number):
    peer = Peer(port)
    peer.send(wire.request()[:50])
    return peer


def stalled_data(port, _number):
    peer = Peer(port)
    peer.associate(MR_CONTEXT)
    peer.send(wire.pdu(4, wire.value(1, 1, wire.store(b"1.2.3"))[:40], length=500))
    return peer


def silent(port, _number):
    return Peer(port)


KINDS = [silent] * 200 + [stalled_request] * 50 + [stalled_data] * 50


def drip(peers, stop):
    """A byte now and then from some of them, as if they were alive."""
    while not stop.wait(0.2):
        for peer in peers:
            try:
                peer.send(b"\0")
            except OSError:
                continue


def test_peers_that_stall_in_every_way_keep_nobody_waiting(door, limited, instances, full):
    limits = {} if full else {"limits": limited(request_s=1.5, pdu_s=2.0)}
    freed_within_s = 35 if full else 10
    stop = threading.Event()
    with door(**limits) as here, ExitStack() as open_peers:
        peers = [
            open_peers.enter_context(kind(here.port, number)) for number, kind in enumerate(KINDS)
        ]
        began = time.monotonic()
        dripping = threading.Thread(target=drip, args=(peers[200:300:10], stop))
        dripping.start()
        try:
            doorway = here.receiver._doorway
            while doorway.associated + doorway.waiting > 0:
                assert time.monotonic() - began < freed_within_s
                for address in ("127.0.0.1", OTHER_ADDRESS):
                    with Peer(here.port, timeout=5, source=address) as peer:
                        peer.associate(ECHO_CONTEXT)
                        assert peer.echo(3) == 0
                        peer.release()
                time.sleep(0.1)
        finally:
            stop.set()
            dripping.join()
        assert instances.until(lambda: here.receiver.open_associations == 0)
    assert incoming(here.spool) == []
