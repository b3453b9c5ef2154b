"""When messages count as taken: against servers that refuse, vanish, are silent; and rsyslog."""

import contextlib
import socket
import ssl
import subprocess
import threading
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from dicom_node.tls import ClientFiles
from jobs.audit import AuditRow
from service.syslog.connection import NotTaken, SyslogServer
from service.syslog.message import framed, syslog_message
from tests.acceptance.peers import wait_for
from tests.authority import Authority
from tests.servers import free_port
from tests.service.syslog.conftest import SENDER, until


def frames(n, first=1):
    rows = (
        AuditRow(
            "study_view", "success", f"n{m}", "viewer", "192.0.2.1", id=m, at=datetime.now(UTC)
        )
        for m in range(first, first + n)
    )
    return [framed(syslog_message(row, SENDER)) for row in rows]


@contextlib.contextmanager
def serving(files, behave):
    """Serve one connection after the other by `behave(secure)`; gives the port."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*files)

    def serve(listening):
        with contextlib.suppress(OSError):
            while True:
                plain, _ = listening.accept()
                with plain, contextlib.suppress(OSError), tls.wrap_socket(plain, True) as secure:
                    secure.settimeout(10)
                    behave(secure)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,), daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(10)


def all_of(secure):
    while secure.recv(65536):
        pass


def answers(secure):
    all_of(secure)
    secure.unwrap()


def ends_without_a_word(secure):
    all_of(secure)
    secure.shutdown(socket.SHUT_RDWR)  # of the connection, not of TLS


def refuses(secure):
    secure.unwrap()


def breaks_off(secure):
    secure.recv(1)
    linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
    secure.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)  # RST
    secure.close()


@pytest.mark.parametrize(
    ("behave", "proof", "code"),
    [
        (answers, "close_notify", ""),
        (answers, "end", ""),
        (ends_without_a_word, "close_notify", "NOT_PROVEN"),
        (ends_without_a_word, "end", ""),
        (refuses, "close_notify", "REFUSED"),
        (refuses, "end", "REFUSED"),
    ],
)
def test_what_is_taken_for_proof(server_files, client_files, behave, proof, code):
    with serving(server_files, behave) as port:
        server = SyslogServer("127.0.0.1", port, client_files, 5.0, proof)
        with pytest.raises(NotTaken, match=code) if code else contextlib.nullcontext():
            server.send(frames(20))


def test_a_connection_that_breaks_off_proves_nothing(server_files, client_files):
    with serving(server_files, breaks_off) as port:
        server = SyslogServer("127.0.0.1", port, client_files, 5.0, "end")
        with pytest.raises(NotTaken):
            server.send(frames(20))


def test_a_server_that_never_ends_is_left(server_files, client_files):
    stopped = threading.Event()

    def silent(secure):
        all_of(secure)
        stopped.wait(10)

    with serving(server_files, silent) as port:
        server = SyslogServer("127.0.0.1", port, client_files, 0.3)
        with pytest.raises(NotTaken, match="TIMEOUT"):
            server.send(frames(1))
        stopped.set()


def test_only_the_server_that_its_certificate_names_is_believed(
    server_files, client_files, tmp_path
):
    stranger = Authority(tmp_path / "stranger", "Somebody else")
    wrong = {
        "another authority": replace(client_files, authorities=stranger.file),
        "another name": replace(client_files, server_name="other.example.org"),
    }
    with serving(server_files, answers) as port:
        for files in wrong.values():
            with pytest.raises(NotTaken, match="TLS"):
                SyslogServer("127.0.0.1", port, files, 5.0).send(frames(1))
        named = replace(client_files, server_name="syslog.example.org")
        SyslogServer("127.0.0.1", port, named, 5.0).send(frames(1))


def test_files_that_are_not_there_and_nobody_listening_have_codes(client_files, tmp_path):
    with pytest.raises(NotTaken, match="NO_CONNECTION"):
        SyslogServer("127.0.0.1", free_port(), client_files, 5.0).send(frames(1))
    gone = replace(client_files, authorities=tmp_path / "gone.pem")
    with pytest.raises(NotTaken, match="UNUSABLE_CERTIFICATE"):
        SyslogServer("127.0.0.1", 1, gone, 5.0).send(frames(1))


def test_who_shows_no_certificate_is_not_let_in_and_knows_it(authority, repository):
    unknown = replace(repository.server, files=ClientFiles(authority.file))
    with pytest.raises(NotTaken, match=r"TLS|REFUSED|NO_CONNECTION"):
        unknown.send(frames(5))
    assert repository.lines() == []
    repository.server.send(frames(5))
    assert len(repository.lines()) == 5


@pytest.fixture
def rsyslog(tmp_path, authority, server_files, client_files):
    """A real rsyslog with OpenSSL, which asks for our certificate by name; its server and file."""
    port, out = free_port(), tmp_path / "audit.log"
    certificate, key = server_files
    (tmp_path / "rsyslog.conf").write_text(
        f'global(workDirectory="{tmp_path}" maxMessageSize="64k"\n'
        f'  defaultNetstreamDriverCAFile="{authority.file}"\n'
        f'  defaultNetstreamDriverCertFile="{certificate}"\n'
        f'  defaultNetstreamDriverKeyFile="{key}")\n'
        'module(load="imtcp" StreamDriver.Name="ossl" StreamDriver.Mode="1"\n'
        '  StreamDriver.AuthMode="x509/name" PermittedPeer=["osteon.example.org"])\n'
        f'input(type="imtcp" address="127.0.0.1" port="{port}")\n'
        'template(name="number" type="string" string="%msgid% %structured-data%\\n")\n'
        f'action(type="omfile" file="{out}" template="number")\n'
    )
    command = ["rsyslogd", "-n", "-f", tmp_path / "rsyslog.conf", "-i", tmp_path / "pid"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:

        def listens():
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 1).close()
                return True
            return False

        wait_for("rsyslog", listens, 60)
        yield SyslogServer("127.0.0.1", port, client_files, 10.0), out
        process.terminate()


def test_a_real_rsyslog_understands_every_message_and_proves_it(rsyslog):
    server, out = rsyslog
    server.send(frames(120))
    until(lambda: out.exists() and len(out.read_text().splitlines()) == 120)
    server.send(frames(30, first=121))
    until(lambda: len(out.read_text().splitlines()) == 150)
    assert out.read_text().splitlines() == [
        f'IHE+RFC-3881 [meta sequenceId="{number}"]' for number in range(1, 151)
    ]
