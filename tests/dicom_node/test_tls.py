"""TLS contexts over real sockets: rotation of files, who is believed, what is refused."""

# ruff: noqa: S106 - passwords of keys that are made here

import contextlib
import logging
import shutil
import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta

import pytest

from dicom_node.certificates import UnusableCertificate, peer_certificate, valid_until
from dicom_node.tls import ClientFiles, ServerFiles, client_context, server_context
from tests.authority import Authority


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def files(authority, tmp_path):
    """Copies of a server's files that may be replaced."""
    certificate, key = authority.issue("node", "127.0.0.1", "node.example.org")
    for path, name in ((certificate, "node.crt"), (key, "node.key"), (authority.file, "ca.pem")):
        shutil.copy(path, tmp_path / name)
    return ServerFiles(tmp_path / "node.crt", tmp_path / "node.key")


@contextlib.contextmanager
def serving(context):
    """Answer each TLS client with one byte; yields port and what the server saw of each."""
    seen, answering = [], []

    def answer(connection):
        with connection:
            try:
                connection.do_handshake()
                seen.append(peer_certificate(connection))
                connection.sendall(b"!")
                while word := connection.recv(100):
                    connection.sendall(word)
            except OSError as error:
                seen.append(type(error))

    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            while True:
                try:
                    plain, _ = listener.accept()
                except OSError:
                    return
                plain.settimeout(5)
                wrapped = context.wrap_socket(
                    plain, server_side=True, do_handshake_on_connect=False
                )
                answering.append(threading.Thread(target=answer, args=[wrapped], daemon=True))
                answering[-1].start()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1], seen
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)
    for one in answering:
        one.join(5)


@contextlib.contextmanager
def called(port, context, name="127.0.0.1"):
    with (
        socket.create_connection(("127.0.0.1", port), 5) as plain,
        context.wrap_socket(plain, server_hostname=name) as tls,
    ):
        assert tls.recv(1) == b"!"
        yield tls


def serial(tls):
    return tls.getpeercert()["serialNumber"]


def test_a_new_certificate_is_shown_and_open_connections_go_on(authority, files, caplog):
    caplog.set_level(logging.INFO)
    client = client_context(ClientFiles(authority.file))
    with (
        serving(server_context(files)) as (port, _),
        called(port, client) as before,
    ):
        for path, place in zip(
            authority.issue("node", "127.0.0.1"), (files.certificate, files.key), strict=True
        ):
            shutil.copy(path, place)
        with called(port, client) as after, called(port, client) as again:
            assert serial(after) != serial(before)
            assert serial(again) == serial(after)
        before.sendall(b"still there")
        assert before.recv(100) == b"still there"
    events = [record.event for record in caplog.records]
    assert events == ["tls_files_reloaded"]


@pytest.mark.parametrize("harm", ["text", "other key", "gone"])
def test_files_that_do_not_work_leave_the_old_ones(authority, files, caplog, harm):
    client = client_context(ClientFiles(authority.file))
    with serving(server_context(files)) as (port, _):
        with called(port, client) as before:
            first = serial(before)
        if harm == "text":
            files.certificate.write_text("CANARY is no certificate")
        elif harm == "other key":
            shutil.copy(authority.issue("other")[1], files.key)
        else:
            files.key.unlink()
        for _ in range(3):
            with called(port, client) as after:
                assert serial(after) == first
        certificate, key = authority.issue("node", "127.0.0.1")
        shutil.copy(key, files.key)
        shutil.copy(certificate, files.certificate)
        with called(port, client) as mended:
            assert serial(mended) != first
    events = [record.event for record in caplog.records if record.levelno >= logging.WARNING]
    assert events.count("tls_files_unusable") == 1  # said once, not at each handshake
    assert "CANARY" not in caplog.text


def test_clients_are_asked_for_a_certificate_that_an_authority_knows(authority, files, tmp_path):
    stranger = Authority(tmp_path / "stranger", "Stranger")
    known = client_context(ClientFiles(authority.file, *authority.issue("mr1", "mr1.example.org")))
    unknown = client_context(ClientFiles(authority.file, *stranger.issue("mr1", "mr1.example.org")))
    nameless = client_context(ClientFiles(authority.file))
    asked = ServerFiles(files.certificate, files.key, authority.file)
    with serving(server_context(asked)) as (port, seen):
        with called(port, known):
            pass
        for client in (unknown, nameless):
            with (
                pytest.raises((ssl.SSLError, AssertionError, ConnectionError)),
                called(port, client),
            ):
                pass
    assert seen[0].names == {"mr1", "mr1.example.org"}
    assert set(seen[1:]) == {ssl.SSLCertVerificationError, ssl.SSLError}
    willing = ServerFiles(files.certificate, files.key, authority.file, required=False)
    with serving(server_context(willing)) as (port, seen), called(port, nameless):
        pass
    assert seen == [None]


def test_another_authority_for_clients_counts_from_the_next_handshake_on(
    authority, files, tmp_path
):
    new = Authority(tmp_path / "new", "New authority")
    old_client = client_context(ClientFiles(authority.file, *authority.issue("old-client")))
    new_client = client_context(ClientFiles(authority.file, *new.issue("new-client")))
    accepted = tmp_path / "ca.pem"
    with serving(server_context(ServerFiles(files.certificate, files.key, accepted))) as (
        port,
        seen,
    ):
        with called(port, old_client):
            pass
        shutil.copy(new.file, accepted)
        with called(port, new_client):
            pass
        with (
            pytest.raises((ssl.SSLError, AssertionError, ConnectionError)),
            called(port, old_client),
        ):
            pass
    assert [one.names for one in seen[:2]] == [{"old-client"}, {"new-client"}]
    assert seen[2] is ssl.SSLCertVerificationError


def test_the_certificate_of_a_device_itself_may_be_the_authority(authority, files):
    own, key = authority.issue("device")
    asked = ServerFiles(files.certificate, files.key, own)
    other = authority.issue("other-device")
    with serving(server_context(asked)) as (port, seen):
        with called(port, client_context(ClientFiles(files.certificate, own, key))):
            pass
        with (
            pytest.raises((ssl.SSLError, AssertionError, ConnectionError)),
            called(port, client_context(ClientFiles(files.certificate, *other))),
        ):
            pass
    assert seen[0].names == {"device"}


def test_whom_we_call_must_be_whom_we_expect(authority, files, tmp_path):
    stranger = Authority(tmp_path / "stranger", "Stranger")
    with serving(server_context(files)) as (port, _):
        with called(port, client_context(ClientFiles(authority.file)), "node.example.org"):
            pass
        with (
            pytest.raises(ssl.SSLCertVerificationError),
            called(port, client_context(ClientFiles(authority.file)), "other.example.org"),
        ):
            pass
        anywhere = client_context(ClientFiles(authority.file, check_name=False))
        with called(port, anywhere, "other.example.org"):
            pass
        for files_ in (ClientFiles(stranger.file, check_name=False), ClientFiles()):
            with pytest.raises(ssl.SSLCertVerificationError), called(port, client_context(files_)):
                pass


def test_a_key_with_a_password(authority):
    certificate, key = authority.issue("locked", "127.0.0.1", password="open sesame")
    server_context(ServerFiles(certificate, key, key_password="open sesame"))
    for wrong in (None, "other"):
        with pytest.raises(UnusableCertificate, match="password"):
            server_context(ServerFiles(certificate, key, key_password=wrong))
    assert "sesame" not in repr(ServerFiles(certificate, key, key_password="open sesame"))


def test_files_that_are_not_there_or_nothing_are_said_by_name(files, tmp_path):
    nothing = tmp_path / "nothing.pem"
    for made in (
        lambda: server_context(ServerFiles(nothing, files.key)),
        lambda: server_context(ServerFiles(files.certificate, nothing)),
        lambda: server_context(ServerFiles(files.certificate, files.key, nothing)),
        lambda: client_context(ClientFiles(nothing)),
        lambda: valid_until(nothing),
    ):
        with pytest.raises(UnusableCertificate, match=r"nothing\.pem"):
            made()
    nothing.write_text("nothing")
    for made in (
        lambda: client_context(ClientFiles(nothing)),
        lambda: valid_until(nothing),
    ):
        with pytest.raises(UnusableCertificate, match="no certificate"):
            made()


def test_a_chain_ends_with_the_first_of_its_certificates(authority, tmp_path):
    long, _ = authority.issue("long", days=300)
    short, _ = authority.issue("short", days=30)
    chain = tmp_path / "chain.pem"
    chain.write_bytes(long.read_bytes() + short.read_bytes())
    left = valid_until(chain) - datetime.now(UTC)
    assert timedelta(days=29) < left < timedelta(days=31)
