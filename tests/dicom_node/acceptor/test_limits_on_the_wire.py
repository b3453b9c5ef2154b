"""Deadlines and limits, over real sockets (reliability.md B1 rows 1 to 8)."""

import socket
import time
from contextlib import ExitStack

import pytest

from dicom_node.acceptor import connection as connection_module
from dicom_node.arrival import OUT_OF_RESOURCES
from dicom_node.vitals import AssociationRejected, ConnectionEnded, Ending
from tests.dicom_node.acceptor import wire
from tests.dicom_node.acceptor.conftest import ECHO_CONTEXT, MR_CONTEXT, incoming
from tests.dicom_node.acceptor.wire import Peer

TOO_MANY = (3, bytes((0, 2, 3, 2)))


def endings(door, instances, count=1):
    """How the first connections ended that did not end well."""

    def heard():
        return [vital for vital in door.heard if isinstance(vital, ConnectionEnded)]

    assert instances.until(lambda: len(heard()) >= count), door.heard
    return heard()


def test_who_says_nothing_is_put_out_and_keeps_nobody_out(door, limited, instances):
    limits = limited(waiting=40, waiting_per_address=20, request_s=60.0)
    with door(limits=limits) as here, ExitStack() as open_peers:
        silent = [open_peers.enter_context(Peer(here.port)) for _ in range(60)]
        with Peer(here.port) as peer:
            peer.associate()
            assert peer.echo() == 0
            assert peer.release() == (6, bytes(4))
        assert silent[0].read() == TOO_MANY
        assert silent[0].read() is None
        found = endings(here, instances, 40)
        assert {vital.ending for vital in found} == {Ending.CROWDED}


def test_a_request_that_never_comes_ends_the_connection(door, limited, instances):
    with (
        door(limits=limited(request_s=0.3)) as here,
        Peer(here.port) as silent,
        Peer(here.port) as slow,
    ):
        slow.send(wire.request()[:100])
        assert silent.read() is None
        assert slow.read() is None
        found = endings(here, instances, 2)
        assert found == [ConnectionEnded(Ending.SLOW, associated=False)] * 2


def dripped(peer, encoded):
    """Send byte after byte until the other end had enough; the PDU that it sent."""
    try:
        for byte in encoded:
            peer.send(bytes((byte,)))
            time.sleep(0.05)
    except (BrokenPipeError, ConnectionResetError):
        pass
    return peer.read()


def test_a_request_that_drips_ends_although_bytes_keep_coming(door, limited, instances):
    with door(limits=limited(request_s=0.5)) as here, Peer(here.port) as peer:
        dripped(peer, wire.request())
        assert endings(here, instances) == [ConnectionEnded(Ending.SLOW, associated=False)]


def test_a_pdu_that_drips_ends_the_association_although_bytes_keep_coming(door, limited, instances):
    with door(limits=limited(pdu_s=0.5)) as here, Peer(here.port) as peer:
        peer.associate()
        dripped(peer, wire.p_data(wire.value(1, 3, wire.echo())))
        assert endings(here, instances) == [ConnectionEnded(Ending.SLOW, associated=True)]
        assert here.receiver.open_associations == 0


def test_a_message_that_drips_ends_the_association_although_pdus_keep_coming(
    door, limited, instances
):
    with door(limits=limited(message_s=0.5)) as here, Peer(here.port) as peer:
        peer.associate(MR_CONTEXT)
        peer.send(*wire.fragments(1, wire.store(b"1.2.3"), 1))
        end = time.monotonic() + 10
        while here.receiver.open_associations and time.monotonic() < end:
            peer.send(wire.p_data(wire.value(1, 0, b"x")))
            time.sleep(0.02)
        assert endings(here, instances) == [ConnectionEnded(Ending.SLOW, associated=True)]


def test_an_association_that_says_nothing_is_aborted(door, limited, instances):
    with door(limits=limited(idle_s=0.3)) as here, Peer(here.port) as peer:
        peer.associate()
        assert peer.read() == (7, bytes((0, 0, 2, 0)))
        assert endings(here, instances) == [ConnectionEnded(Ending.IDLE, associated=True)]


def test_who_does_not_read_the_answers_is_let_go(door, limited, instances, monkeypatch):
    monkeypatch.setattr(connection_module, "_READ_BYTES", 1)  # one PDU at a time
    with door(limits=limited(send_s=0.5, idle_s=30)) as here:
        peer = socket.socket()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.connect(("127.0.0.1", here.port))
        peer.settimeout(10)
        with peer:
            peer.sendall(wire.request(ECHO_CONTEXT))
            echo = b"".join(wire.fragments(3, wire.echo(), 1))
            peer.sendall(echo * 200_000)  # what comes after the abort is dropped
            assert endings(here, instances) == [ConnectionEnded(Ending.SLOW, associated=True)]
        assert instances.until(lambda: here.receiver.open_associations == 0)


def test_associations_beyond_the_limit_are_asked_to_come_again(door, instances):
    with door(maximum_associations=2) as here, ExitStack() as open_peers:
        for _ in range(2):
            open_peers.enter_context(Peer(here.port)).associate()
        with Peer(here.port) as third:
            third.send(wire.request())
            assert third.read() == TOO_MANY
        assert instances.until(lambda: AssociationRejected("too_many") in here.heard)


def test_an_object_longer_than_any_that_is_taken_ends_the_association(door, limited, instances):
    limits = limited(object_bytes=3_000_000)
    with door(limits=limits) as here, Peer(here.port) as peer:
        peer.associate(MR_CONTEXT)
        peer.send(wire.stored(1, b"1.2.3.1", bytes(30_000_000)))
        assert peer.read() == (7, bytes((0, 0, 2, 0)))
        assert endings(here, instances) == [ConnectionEnded(Ending.LENGTH, associated=True)]
        assert instances.until(lambda: incoming(here.spool) == [])
        with Peer(here.port) as other:
            other.associate(MR_CONTEXT)
            assert other.store(b"1.2.3.2", bytes(2_000_000)) == 0


def test_a_data_set_that_is_not_stored_has_a_limit_of_its_own(door, limited, instances):
    find = wire.command(
        e0002=wire.MR, e0100=wire.us(0x20), e0110=wire.us(4), e0700=wire.us(0), e0800=wire.us(1)
    )
    with door(limits=limited(data_set_bytes=1000)) as here, Peer(here.port) as peer:
        peer.associate(MR_CONTEXT)
        peer.send(*wire.fragments(1, find, 1), *wire.fragments(1, bytes(1001)))
        assert peer.read()[0] == 7
        assert endings(here, instances) == [ConnectionEnded(Ending.LENGTH, associated=True)]


@pytest.mark.parametrize("size", [40_000, 1_500_000])
def test_an_association_may_bring_so_much(door, size):
    with door(association_bytes=2 * size + 1000) as here:
        with Peer(here.port) as peer:
            peer.associate(MR_CONTEXT)
            names = (b"1.2.3.1", b"1.2.3.2", b"1.2.3.3")
            answers = [peer.store(name, bytes(size)) for name in names]
            assert answers == [0, 0, OUT_OF_RESOURCES]
        with Peer(here.port) as again:
            again.associate(MR_CONTEXT)
            assert again.store(b"1.2.3.3", bytes(size)) == 0
        assert incoming(here.spool) == []


def test_answers_are_sent_at_once(door):
    with door() as here, Peer(here.port) as peer:
        peer.associate()
        (guest,) = here.receiver._acceptor._house.guests._here
        assert guest.connection.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
