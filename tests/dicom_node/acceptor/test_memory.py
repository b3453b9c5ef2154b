"""D-17: however much is announced and sent, the process stays small.

The long object is 3 GiB, and 1000 are sent without waiting, with `--full`.
"""

import pytest

from tests.dicom_node.acceptor import wire
from tests.dicom_node.acceptor.conftest import ECHO_CONTEXT, MR_CONTEXT, incoming
from tests.dicom_node.acceptor.door_process import door_process, peak_mb
from tests.dicom_node.acceptor.wire import Peer

MOST_MB = 150
MIB = bytes(2**20)


@pytest.fixture(scope="module")
def here(tmp_path_factory, full):
    """One receiver for all; in the short form it takes objects of 64 MiB."""
    options = () if full else ("--object-bytes", str(64 * 2**20))
    with door_process(tmp_path_factory.mktemp("door"), *options) as running:
        yield running


@pytest.fixture(autouse=True)
def stays_small(here):
    yield
    assert peak_mb(here.process) < MOST_MB
    with Peer(here.port) as peer:
        peer.associate(ECHO_CONTEXT)
        assert peer.echo(3) == 0


def pour(peer, pieces):
    """Send until the other end has had enough; how many MiB went out."""
    sent = 0
    try:
        for piece in pieces:
            peer.send(piece)
            sent += 1
    except (BrokenPipeError, ConnectionResetError):
        pass
    return sent


@pytest.mark.parametrize("associated", [False, True])
def test_a_pdu_that_says_it_has_four_gib(here, associated):
    with Peer(here.port) as peer:
        if associated:
            peer.associate(MR_CONTEXT)
        peer.send(wire.pdu(4 if associated else 1, b"", length=0xFFFF_FFFF))
        pour(peer, [MIB] * 256)


def test_objects_sent_without_waiting(here, full):
    count = 1000 if full else 150
    with Peer(here.port, timeout=120) as peer:
        peer.associate(MR_CONTEXT)
        pixels = bytes(600_000)
        answered = 0
        for number in range(count):
            peer.send(wire.stored(1, b"1.2.3.%d" % (number + 1), pixels))
            if number >= 20:  # twenty are on their way at any time
                answered += wire.status_of(peer.read()[1]) == 0
        answered += sum(wire.status_of(peer.read()[1]) == 0 for _ in range(20))
    assert answered == count


def test_an_object_without_end(here, full):
    with Peer(here.port, timeout=60) as peer:
        peer.associate(MR_CONTEXT)
        peer.send(*wire.fragments(1, wire.store(b"1.2.9.1"), 1))
        peer.send(wire.p_data(wire.value(1, 0, wire.data_set(b"1.2.9.1"))))
        piece = b"".join(wire.p_data(wire.value(1, 0, bytes(2**17 - 6))) for _ in range(8))
        most = 3 * 1024 if full else 96
        pour(peer, [piece] * most)
        assert peer.read() in ((7, bytes((0, 0, 2, 0))), None)
    assert incoming(here.spool) == []


@pytest.mark.parametrize(
    "request_pdu",
    [
        wire.request(*([wire.context(1, wire.MR, wire.IMPLICIT)] * 10_000)),
        wire.request(*([wire.context(1, b"", b"")] * 4000)),
        wire.request(wire.item(0x20, b"\1\0\0\0" + wire.item(0x40, b"") * 15_000)),
        wire.request(users=wire.user(*([wire.item(0x57, b"")] * 15_000))),
        wire.request(users=wire.user(wire.item(0x58, b"\1\0\xff\xf0" + bytes(60_000) + b"\0\0"))),
    ],
)
def test_requests_with_as_much_in_them_as_fits(here, request_pdu):
    for _ in range(20):
        with Peer(here.port) as peer:
            pour(peer, [request_pdu])
            answer = peer.read()
            assert answer is None or answer[0] in (2, 7)
