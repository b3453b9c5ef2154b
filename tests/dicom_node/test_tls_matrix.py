"""D-23: what the door's TLS takes and refuses: OpenSSL's client, DCMTK and bare sockets ask."""

import shutil
import socket
import ssl
import subprocess
from contextlib import contextmanager

import pytest

from dicom_node.acceptor.limits import Limits
from dicom_node.gate import Gate, Rule
from dicom_node.peer import Peer, associated, echo
from dicom_node.tls import ClientFiles, ServerFiles, server_context
from tests.authority import Authority

MR = "1.2.840.10008.5.1.4.1.1.4"
VERIFICATION, EXPLICIT = "1.2.840.10008.1.1", "1.2.840.10008.1.2.1"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def scanner(authority):
    """Certificate and key of a scanner, with RSA as scanners have it."""
    return authority.issue("mr1", "mr1.example.org", kind="rsa")


@pytest.fixture(scope="module")
def server(authority):
    """The node's own, with RSA, so that no old suite fails for want of a key."""
    return authority.issue("node", "127.0.0.1", kind="rsa")


@pytest.fixture
def door(receiving, authority, server, tmp_path):
    """Doors of TLS that ask for certificates; each closes at the end of its block."""
    certificate, key = tmp_path / "node.crt", tmp_path / "node.key"
    shutil.copy(server[0], certificate)
    shutil.copy(server[1], key)

    @contextmanager
    def start(*rules, authorities=authority.file, **settings):
        files = ServerFiles(certificate, key, authorities)
        gate = Gate(("OSTEON",), rules or (Rule("anybody"),))
        told = []
        with receiving(tls=server_context(files), gate=gate, **settings) as receiver:
            receiver.listener = told.append
            yield receiver.port, told

    start.files = certificate, key
    return start


def s_client(port, *options, certificate=None):
    """Ask with OpenSSL's client; return everything it says until the server hangs up."""
    shown = [] if certificate is None else ["-cert", certificate[0], "-key", certificate[1]]
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", *shown, *options]
    done = subprocess.run(
        [*command, "-ign_eof"],
        input=b"\x05\x00\x00\x00\x00\x04\x00\x00\x00\x00",  # A-RELEASE-RQ: nobody's, so we hang up
        capture_output=True,
        timeout=30,
        check=False,
    )
    return (done.stdout + done.stderr).decode("utf-8", "replace")


@pytest.mark.parametrize("old", ["-tls1", "-tls1_1"])
def test_old_versions_are_refused(door, scanner, old):
    with door() as (port, told):
        said = s_client(port, old, "-cipher", "ALL:@SECLEVEL=0", certificate=scanner)
    assert "alert protocol version" in said
    assert [vital.reason for vital in told] == ["tls"]


WEAK = (
    "AES128-SHA",  # no ephemeral key
    "AES256-GCM-SHA384",  # the same
    "ECDHE-RSA-AES128-SHA",  # CBC
    "ECDHE-RSA-AES256-SHA384",  # CBC
    "DHE-RSA-AES256-GCM-SHA384",  # of TLS 1.2, but RFC 9325 4.2 recommends elliptic curves
    "NULL-SHA256",
    "ADH-AES256-GCM-SHA384",  # nobody proves anything
)


@pytest.mark.parametrize("suite", WEAK)
def test_weak_suites_are_refused(door, scanner, suite):
    with door() as (port, _):
        said = s_client(port, "-tls1_2", "-cipher", f"{suite}:@SECLEVEL=0", certificate=scanner)
    assert "alert handshake failure" in said


STRONG = (
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-RSA-CHACHA20-POLY1305",
)


@pytest.mark.parametrize("suite", STRONG)
def test_strong_suites_of_tls_1_2_are_taken(door, scanner, suite):
    with door() as (port, _):
        said = s_client(port, "-tls1_2", "-cipher", suite, certificate=scanner)
    assert f"Cipher is {suite}" in said
    assert "Secure Renegotiation IS supported" in said


def test_tls_1_3_is_chosen_where_it_is_offered(door, scanner):
    with door() as (port, _):
        said = s_client(port, certificate=scanner)
    assert "New, TLSv1.3" in said
    assert "Post-Handshake New Session Ticket" not in said  # who asks again is asked again


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_without_a_certificate_nobody_comes_in(door, version, tmp_path):
    stranger = Authority(tmp_path / "other", "Stranger").issue("mr1", "mr1.example.org")
    with door() as (port, told):
        none = s_client(port, version)
        unknown = s_client(port, version, certificate=stranger)
    asked = "certificate required" if version == "-tls1_3" else "handshake failure"
    assert f"alert {asked}" in none
    assert "alert unknown ca" in unknown
    assert [vital.reason for vital in told] == ["tls", "tls"]


def test_dcmtk_stores_over_tls_under_the_title_of_its_certificate(
    door, storescu, authority, scanner, spool, instances
):
    path = instances.write_file(instances.mr_image(), spool.root.parent / "in")
    rule = Rule("scanner", ("MR1",), certificate_names=("mr1.example.org",))
    other = authority.issue("ct1", "ct1.example.org", kind="rsa")
    believed = ["+cf", authority.file]
    with door(rule, Rule("pacs", ("PACS",), certificate_names=("pacs",))) as (port, told):
        tls = ["+tls", scanner[1], scanner[0], *believed]
        code, text = storescu(port, path, calling="MR1", options=tls)
        assert code == 0, text
        for calling, shown in (("PACS", scanner), ("MR1", other)):
            tls = ["+tls", shown[1], shown[0], *believed]
            code, text = storescu(port, path, calling=calling, options=tls)
            assert code != 0
            assert "Calling AE Title Not Recognized" in text
        code, _ = storescu(port, path, calling="MR1", options=["+tla", *believed])
        assert code != 0
        code, _ = storescu(port, path, calling="MR1")  # without TLS
        assert code != 0
    reasons = [vital.reason for vital in told if hasattr(vital, "reason")]
    assert reasons == ["certificate", "certificate", "tls", "tls"]
    (stored,) = (spool.root / "studies").rglob("*.dcm")
    assert instances.data_set_bytes(stored) == instances.data_set_bytes(path)


def test_peers_that_say_nothing_or_no_tls_hold_nobody_up(door, authority, scanner, instances):
    limits = Limits(handshake_s=1.0)
    with door(limits=limits) as (port, told):
        us = Peer("OSTEON", "127.0.0.1", port, tls=ClientFiles(authority.file, *scanner))
        silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(20)]
        garbage = socket.create_connection(("127.0.0.1", port))
        garbage.sendall(b"\x01\x00\x00\x00\x00\xcd" + bytes(205))  # an A-ASSOCIATE-RQ, plain
        half = socket.create_connection(("127.0.0.1", port))
        half.sendall(b"\x16\x03\x01\x02\x00\x01")  # the first bytes of a client hello
        echo(us)  # while all of them are there
        for peer in (*silent, garbage, half):
            with peer:
                peer.settimeout(20)
                assert _ended(peer)
        echo(us)
        assert instances.until(lambda: _handshakes_failed(told) == 22)


def test_who_looks_whether_the_port_is_open_is_no_failed_handshake(door, instances):
    """As the web server's readiness does, many times an hour."""
    with door() as (port, told):
        for _ in range(3):
            socket.create_connection(("127.0.0.1", port)).close()
        assert instances.until(lambda: len(told) == 3)
    assert {type(vital).__name__ for vital in told} == {"ConnectionEnded"}


def _handshakes_failed(told):
    return sum(getattr(vital, "reason", "") == "tls" for vital in told)


def _ended(peer):
    try:
        while peer.recv(4096):
            pass
    except ConnectionResetError:
        pass
    return True


def test_certificates_may_be_renewed_while_associations_are_open(
    door, authority, scanner, instances, tmp_path
):
    path = instances.write_file(instances.mr_image(), tmp_path / "in")
    with door() as (port, _):
        us = Peer("OSTEON", "127.0.0.1", port, tls=ClientFiles(authority.file, *scanner))
        before = _serial(port, authority, scanner)
        with associated(us, [(MR, EXPLICIT), (VERIFICATION, EXPLICIT)]) as association:
            renewed = authority.issue("node", "127.0.0.1", kind="rsa")
            for new, place in zip(renewed, door.files, strict=True):
                shutil.copy(new, place)
            assert _serial(port, authority, scanner) != before
            assert association.send_c_store(path).Status == 0
            assert association.send_c_echo().Status == 0
        echo(us)
        door.files[0].write_text("no certificate any more")
        echo(us)  # the last good one stays


def _serial(port, authority, certificate):
    context = ssl.create_default_context(cafile=authority.file)
    context.load_cert_chain(*certificate)
    with (
        socket.create_connection(("127.0.0.1", port)) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as tls,
    ):
        return tls.getpeercert()["serialNumber"]
