"""Real servers on loopback ports: PostgreSQL and Redis, started, killed and started again."""

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import create_engine, text

_START_S = 60
_POSTGRESQL = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "60",
    "fsync": "off",  # the tests kill processes, not machines
}


def free_port() -> int:
    """A free port that no outgoing connection is given: who is killed has to have it back."""
    while True:
        port = random.SystemRandom().randrange(15_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def _until(what: str, ready: Callable[[], bool], server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_S
    while not ready():
        if server.poll() is not None or time.monotonic() > deadline:
            message = f"{what} did not start"
            raise AssertionError(message)
        time.sleep(0.05)


class PostgreSQL:
    """A cluster in a folder of its own; PostgreSQL refuses root, so it runs as nobody then."""

    def __init__(self) -> None:
        self.port = free_port()
        self._binaries = _binaries()
        self._who = {"user": "nobody", "group": "nogroup"} if os.geteuid() == 0 else {}
        self._home = Path(tempfile.mkdtemp(prefix="osteon-postgresql-"))
        if self._who:
            shutil.chown(self._home, **self._who)
        initdb = [self._binaries / "initdb", "-D", self._home / "data", "-U", "osteon"]
        initdb += ["-A", "trust", "-N", "-E", "UTF8", "--locale=C"]
        subprocess.run(initdb, check=True, capture_output=True, cwd=self._home, **self._who)
        self.start()

    def url(self, name: str = "postgres") -> str:
        return f"postgresql+pg8000://osteon@127.0.0.1:{self.port}/{name}"

    def start(self) -> None:
        settings = [word for pair in _POSTGRESQL.items() for word in ("-c", "=".join(pair))]
        program = [self._binaries / "postgres", "-D", self._home / "data", "-p", str(self.port)]
        with (self._home / "log").open("ab") as log:
            self._server = subprocess.Popen(
                [*program, *settings], stdout=log, stderr=log, cwd=self._home, **self._who
            )
        _until("PostgreSQL", self._answers, self._server)

    @property
    def pid(self) -> int:
        return self._server.pid

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT: fast, whoever is connected; SIGQUIT: at once, as after a crash."""
        self._server.send_signal(how)
        self._server.wait(_START_S)

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self._home)

    def create(self, name: str) -> str:
        self.run(f"CREATE DATABASE {name}")
        return self.url(name)

    def drop(self, name: str) -> None:
        self.run(f"DROP DATABASE {name} WITH (FORCE)")

    def run(self, statement: str) -> None:
        engine = create_engine(self.url(), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()

    def _answers(self) -> bool:
        program = [self._binaries / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(program, check=False).returncode == 0


def _binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    if not found and on_path is None:
        message = "the tests need PostgreSQL's server: run tests/install_peers.sh"
        raise AssertionError(message)
    return found[-1].parent if found else Path(str(on_path)).parent


class Redis:
    """A broker with a password, as in production; its data may be lost."""

    PASSWORD = "s/ecret@1"  # noqa: S105 - of a server that lives for a test

    def __init__(self, folder: Path, *settings: str) -> None:
        if shutil.which("redis-server") is None:
            message = "the tests need redis-server: run tests/install_peers.sh"
            raise AssertionError(message)
        self.port = free_port()
        self._folder = folder
        folder.mkdir()
        (folder / "redis.conf").write_text(
            f"bind 127.0.0.1\nport {self.port}\nrequirepass {self.PASSWORD}\n"
            f'dir {folder}\nappendonly yes\nsave ""\n' + "\n".join(settings) + "\n"
        )
        self.start()

    @property
    def address(self) -> str:
        """As it stands in settings: the password comes from elsewhere."""
        return f"redis://:{{password}}@127.0.0.1:{self.port}/0"

    def start(self) -> None:
        with (self._folder / "log").open("ab") as log:
            program = ["redis-server", str(self._folder / "redis.conf")]
            self._server = subprocess.Popen(program, stdout=log, stderr=log)
        _until("Redis", lambda: self.ask("ping") == "PONG", self._server)

    @property
    def pid(self) -> int:
        return self._server.pid

    def kill(self) -> None:
        self._server.kill()
        self._server.wait(_START_S)

    def lose_everything(self) -> None:
        """Kill it and remove its data."""
        self.kill()
        shutil.rmtree(self._folder / "appendonlydir")

    def ask(self, *words: str) -> str:
        program = ["redis-cli", "-p", str(self.port), "--no-auth-warning", *words]
        environment = {**os.environ, "REDISCLI_AUTH": self.PASSWORD}
        done = subprocess.run(program, capture_output=True, text=True, env=environment, check=False)
        return done.stdout.strip()
