import contextlib
import json
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from dicom_node.tls import ClientFiles
from service.syslog import connection
from service.syslog.connection import SyslogServer
from service.syslog.message import Sender
from tests.acceptance.peers import wait_for
from tests.authority import Authority
from tests.servers import free_port

SENDER = Sender("OSTEON", "osteon.example.org")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """A peer on this host refuses sooner than one far away."""
    monkeypatch.setattr(connection, "HOLD_S", 0.1)


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def server_files(authority):
    return authority.issue("syslog", "127.0.0.1", "syslog.example.org")


@pytest.fixture(scope="session")
def client_files(authority):
    return ClientFiles(authority.file, *authority.issue("osteon", "osteon.example.org"))


@dataclass
class Repository:
    """A syslog server in a process of its own, that can be killed and started again."""

    command: list[str]
    out: Path
    server: SyslogServer
    process: subprocess.Popen | None = None

    def start(self):
        self.process = subprocess.Popen(self.command, stderr=subprocess.DEVNULL)
        wait_for("the syslog server", self._listens, 60)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def terminate(self):
        self.process.terminate()
        self.process.wait()

    def lines(self):
        return self.out.read_text(encoding="utf-8").splitlines() if self.out.exists() else []

    def messages(self):
        return [json.loads(line) for line in self.lines()]

    def _listens(self):
        with contextlib.suppress(OSError):
            socket.create_connection((self.server.host, self.server.port), 1).close()
            return True
        return False


@pytest.fixture
def repository(tmp_path, authority, server_files, client_files):
    port, out = free_port(), tmp_path / "got.jsonl"
    script = Path(__file__).with_name("receiver.py")
    command = [sys.executable, script, port, *server_files, authority.file, out]
    server = SyslogServer("127.0.0.1", port, client_files, 5.0)
    made = Repository([str(word) for word in command], out, server)
    try:
        made.start()
        yield made
    finally:
        made.kill()


def until(condition, seconds=60):
    """Wait without a word for the reason."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)
