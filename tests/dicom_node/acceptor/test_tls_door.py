"""TLS at the door: handshakes hold nothing up, and what they prove reaches the gate (B1 row 4)."""

import ssl
from contextlib import ExitStack

import pytest

from dicom_node.gate import Gate, Rule
from dicom_node.tls import ServerFiles, server_context
from dicom_node.vitals import AssociationRejected
from tests.authority import Authority
from tests.dicom_node.acceptor import wire
from tests.dicom_node.acceptor.conftest import ECHO_CONTEXT, MR_CONTEXT, incoming
from tests.dicom_node.acceptor.wire import Peer


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def context(authority):
    certificate, key = authority.issue("node", "127.0.0.1")
    return server_context(ServerFiles(certificate, key, authority.file))


class TlsPeer(Peer):
    """A peer that shows a certificate."""

    def __init__(self, port, authority, name="scanner"):
        super().__init__(port)
        client = ssl.create_default_context(cafile=authority.file)
        client.load_cert_chain(*authority.issue(name, f"{name}.example.org"))
        self.socket = client.wrap_socket(self.socket, server_hostname="127.0.0.1")


def test_peers_that_never_shake_hands_hold_nobody_up(door, limited, instances, authority, context):
    with door(tls=context, limits=limited(handshake_s=1.0)) as here, ExitStack() as open_peers:
        silent = [open_peers.enter_context(Peer(here.port)) for _ in range(50)]
        for _ in range(3):
            with TlsPeer(here.port, authority) as peer:
                peer.associate(ECHO_CONTEXT)
                assert peer.echo(3) == 0
                assert peer.release() == (6, bytes(4))
        assert silent[0].read() is None
        assert instances.until(lambda: here.receiver._doorway.waiting == 0)
        assert here.heard.count(AssociationRejected("tls")) == 50


def test_objects_of_any_length_come_over_tls(door, authority, context):
    with door(tls=context) as here, TlsPeer(here.port, authority) as peer:
        peer.associate(MR_CONTEXT)
        assert peer.store(b"1.2.3.1", b"short") == 0
        assert peer.store(b"1.2.3.2", bytes(range(256)) * 12_000) == 0
        assert peer.release() == (6, bytes(4))
    for instance, pixels in zip(here.stored, (b"short", bytes(range(256)) * 12_000), strict=True):
        sent = wire.data_set(instance.sop_instance_uid.encode(), pixels)
        assert here.spool.path(instance).read_bytes().endswith(sent)
    assert incoming(here.spool) == []


def test_what_the_certificate_says_reaches_the_gate(door, authority, context):
    rules = (Rule("scanner", certificate_names=("scanner.example.org",)),)
    with door(tls=context, gate=Gate(("OSTEON",), rules)) as here:
        with TlsPeer(here.port, authority) as peer:
            peer.associate()
        with TlsPeer(here.port, authority, "another") as stranger:
            stranger.send(wire.request())
            assert stranger.read() == (3, bytes((0, 1, 1, 3)))


def test_who_speaks_without_tls_is_closed(door, instances, context):
    with door(tls=context) as here, Peer(here.port) as peer:
        peer.send(wire.request())
        peer.socket.settimeout(5)
        assert peer.read() is None
        assert instances.until(lambda: AssociationRejected("tls") in here.heard)


def test_who_ends_right_after_the_handshake_leaves_nothing(door, instances, authority, context):
    with door(tls=context) as here:
        for _ in range(20):
            with TlsPeer(here.port, authority):
                pass
        assert instances.until(lambda: here.receiver._doorway.waiting == 0, 4)


def test_the_first_bytes_may_come_with_the_end_of_the_handshake(door, authority, context):
    with door(tls=context) as here:
        for _ in range(10):
            with TlsPeer(here.port, authority) as peer:
                peer.send(wire.request(MR_CONTEXT), wire.stored(1, b"1.2.3.1"), wire.RELEASE_RQ)
                assert peer.read()[0] == 2
                assert wire.status_of(peer.read()[1]) == 0
                assert peer.read() == (6, bytes(4))
