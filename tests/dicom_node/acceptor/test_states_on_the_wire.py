"""What a peer may do and not do, over real sockets, with bytes laid out by hand."""

import socket
import time

import pytest

from dicom_node.vitals import AssociationAccepted, ConnectionEnded, Ending
from tests.dicom_node.acceptor import wire
from tests.dicom_node.acceptor.conftest import ECHO_CONTEXT, MR_CONTEXT, incoming
from tests.dicom_node.acceptor.wire import Peer

BY_PROVIDER = 2
UNRECOGNIZED, UNEXPECTED, INVALID = 1, 2, 6


def ended(door):
    """How the one connection ended that did not end well."""
    of_that_kind = []
    end = time.monotonic() + 10
    while not of_that_kind and time.monotonic() < end:
        of_that_kind = [vital for vital in door.heard if isinstance(vital, ConnectionEnded)]
    (vital,) = of_that_kind
    return vital


def test_a_release_is_answered_and_frees_the_place_at_once(door, instances):
    with door() as here, Peer(here.port) as peer:
        peer.associate()
        assert here.receiver.open_associations == 1
        assert peer.echo() == 0
        assert peer.release() == (6, bytes(4))
        # The peer has not closed yet.
        assert instances.until(lambda: here.receiver.open_associations == 0)
        assert here.heard == [AssociationAccepted()]


def test_a_peer_that_stays_after_its_release_is_closed(door, limited):
    with door(limits=limited(farewell_s=0.2)) as here, Peer(here.port) as peer:
        peer.associate()
        peer.release()
        assert peer.read() is None


@pytest.mark.parametrize(
    "sent",
    [
        wire.p_data(wire.value(1, 3, wire.echo())),
        wire.RELEASE_RQ,
        wire.RELEASE_RP,
        wire.pdu(2, bytes(80)),
        wire.pdu(3, bytes(4)),
        wire.pdu(0x47, b"ET / HTTP/1.1\r\n"),
        wire.request()[:-1] + b"\xff",
        wire.request(b"", version=1, users=b"garbage"),
    ],
)
def test_before_a_request_anything_else_is_aborted(door, sent):
    with door() as here, Peer(here.port) as peer:
        peer.send(sent)
        assert peer.read() == (7, bytes(4))
        assert peer.read() is None
        assert ended(here).ending in (Ending.MALFORMED, Ending.UNEXPECTED)
        assert not ended(here).associated


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (wire.request(), UNEXPECTED),
        (wire.pdu(2, bytes(80)), UNEXPECTED),
        (wire.pdu(3, bytes(4)), UNEXPECTED),
        (wire.RELEASE_RP, UNEXPECTED),
        (wire.pdu(9, b""), UNRECOGNIZED),
        (wire.p_data(), INVALID),
        (wire.p_data(wire.value(1, 3, b"")), INVALID),
        (wire.p_data(wire.value(77, 3, wire.echo())), INVALID),
        (wire.p_data(wire.value(3, 3, wire.echo(), length=5000)), INVALID),
        (wire.p_data(wire.value(1, 2, b"data")), INVALID),
        # a command field that no request has
        (
            wire.p_data(
                wire.value(
                    1,
                    3,
                    wire.command(e0100=wire.us(0x42), e0110=wire.us(1), e0800=wire.us(0x101)),
                )
            ),
            INVALID,
        ),
        # an answer to nothing
        (
            wire.p_data(
                wire.value(
                    1,
                    3,
                    wire.command(
                        e0100=wire.us(0x8100),
                        e0120=wire.us(1),
                        e0800=wire.us(0x101),
                        e0900=wire.us(0),
                    ),
                )
            ),
            UNEXPECTED,
        ),
    ],
)
def test_in_an_association_what_may_not_come_is_aborted_and_counted(door, instances, sent, reason):
    with door() as here, Peer(here.port) as peer:
        peer.associate(MR_CONTEXT, ECHO_CONTEXT)
        peer.send(sent)
        assert peer.read() == (7, bytes((0, 0, BY_PROVIDER, reason)))
        assert peer.read() is None
        assert instances.until(lambda: here.receiver.open_associations == 0)
        assert ended(here).associated
        # and the door is open
        with Peer(here.port) as other:
            other.associate(ECHO_CONTEXT)
            assert other.echo(3) == 0


def test_a_pdu_longer_than_agreed_is_refused_by_its_header(door, limited):
    with door(limits=limited(pdu_bytes=20_000)) as here, Peer(here.port) as peer:
        peer.associate(MR_CONTEXT)
        peer.send(wire.pdu(4, b"", length=20_001))
        assert peer.read()[0] == 7
        assert ended(here) == ConnectionEnded(Ending.LENGTH, associated=True)


def test_an_abort_frees_the_place_and_the_study(door, instances):
    with door() as here, Peer(here.port) as peer:
        peer.associate(MR_CONTEXT)
        assert peer.store(b"1.2.3.1") == 0
        assert here.receiver.busy_studies() == {"1.2.3.10"}
        peer.send(wire.ABORT_BY_PEER)
        assert instances.until(lambda: here.receiver.open_associations == 0)
        assert instances.until(lambda: here.receiver.busy_studies() == frozenset())
        assert ended(here) == ConnectionEnded(Ending.PEER, associated=True)


@pytest.mark.parametrize("pixels", [100, 3_000_000])
def test_a_connection_that_ends_inside_an_object_leaves_nothing(door, instances, pixels):
    with door() as here:
        with Peer(here.port) as peer:
            peer.associate(MR_CONTEXT)
            peer.send(wire.stored(1, b"1.2.3.1", bytes(pixels))[:-50])
        assert instances.until(lambda: here.receiver.open_associations == 0)
        assert instances.until(lambda: incoming(here.spool) == [])
        assert here.stored == []


def test_objects_sent_without_waiting_are_stored_and_answered_in_order(door):
    with door() as here, Peer(here.port) as peer:
        peer.associate(MR_CONTEXT)
        names = [b"1.2.3.%d" % number for number in range(1, 31)]
        peer.send(*(wire.stored(1, name, bytes(5000), n) for n, name in enumerate(names, 1)))
        answers = [peer.read() for _ in names]
        assert [wire.status_of(body) for _, body in answers] == [0] * 30
        ids = [wire.numbers(body[6:])[0x0120] for _, body in answers]
        assert ids == [wire.us(number) for number in range(1, 31)]
        assert [i.sop_instance_uid for i in here.stored] == [name.decode() for name in names]


def test_a_cancel_is_not_answered_and_a_service_that_is_not_here_is(door):
    cancel = wire.command(e0100=wire.us(0x0FFF), e0120=wire.us(1), e0800=wire.us(0x101))
    find = wire.command(
        e0002=wire.MR, e0100=wire.us(0x20), e0110=wire.us(4), e0700=wire.us(0), e0800=wire.us(1)
    )
    with door() as here, Peer(here.port) as peer:
        peer.associate(MR_CONTEXT, ECHO_CONTEXT)
        peer.send(*wire.fragments(1, cancel, 1), *wire.fragments(1, find, 1))
        peer.send(*wire.fragments(1, b"\x10\0\x20\0LO\x02\0X "))
        _, body = peer.read()
        answer = wire.numbers(body[6:])
        assert (answer[0x0100], answer[0x0120]) == (wire.us(0x8020), wire.us(4))
        assert answer[0x0900] == wire.us(0x0211)
        # an echo in a context of storage, an image in one of verification
        assert peer.echo(1) == 0x0211
        assert peer.store(b"1.2.3.1", context_id=3) == 0x0211
        assert peer.echo(3) == 0


def test_half_a_peer_is_answered_before_it_is_let_go(door):
    with door() as here, Peer(here.port) as peer:
        peer.associate(MR_CONTEXT)
        peer.send(wire.stored(1, b"1.2.3.1"))
        peer.socket.shutdown(socket.SHUT_WR)
        _, body = peer.read()
        assert wire.status_of(body) == 0
        assert peer.read() is None
