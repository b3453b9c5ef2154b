"""Databases for the contract tests: SQLite files, and a real PostgreSQL that the session starts."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from jobs.migrate import upgrade
from jobs.store import JobStore
from jobs.study import Instance

_NUMBERS = count(1)
_START_S = 30
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "60",
    "fsync": "off",  # the tests kill processes, not machines
}


class MovableClock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def _binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    if not found and on_path is None:
        pytest.fail(
            "the contract tests need PostgreSQL's server binaries: apt-get install postgresql"
        )
    return found[-1].parent if found else Path(str(on_path)).parent


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _unprivileged() -> dict[str, str | int]:
    """PostgreSQL refuses to run as root; as anyone else it runs as ourselves."""
    return {"user": "nobody", "group": "nogroup"} if os.geteuid() == 0 else {}


def _wait_until_ready(
    binaries: Path, port: int, server: subprocess.Popen[bytes], log: Path
) -> None:
    ready = [str(binaries / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
    deadline = time.monotonic() + _START_S
    while subprocess.run(ready, check=False).returncode != 0:
        if server.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"PostgreSQL did not start: {log.read_text()}")
        time.sleep(0.05)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """URL of the maintenance database of a PostgreSQL on a free loopback port."""
    binaries, port, who = _binaries(), _free_port(), _unprivileged()
    home = Path(tempfile.mkdtemp(prefix="osteon-postgresql-"))
    if who:
        shutil.chown(home, **who)
    data, log = home / "data", home / "log"
    initdb = [binaries / "initdb", "-D", data, "-U", "osteon", "-A", "trust", "-N", "-E", "UTF8"]
    subprocess.run([*initdb, "--locale=C"], check=True, capture_output=True, cwd=home, **who)
    settings = [word for pair in _SETTINGS.items() for word in ("-c", "=".join(pair))]
    with log.open("wb") as sink:
        server = subprocess.Popen(
            [binaries / "postgres", "-D", data, "-p", str(port), *settings],
            stdout=sink,
            stderr=sink,
            cwd=home,
            **who,
        )
    try:
        _wait_until_ready(binaries, port, server, log)
        yield f"postgresql+pg8000://osteon@127.0.0.1:{port}/postgres"
    finally:
        server.send_signal(signal.SIGINT)  # fast shutdown, whoever is still connected
        server.wait(_START_S)
        shutil.rmtree(home)


def _on_server(url: str, statement: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a database with nothing in it: the test runs once for each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'osteon.sqlite'}"
        return
    server: str = request.getfixturevalue("postgresql")
    name = f"test_{next(_NUMBERS)}"
    _on_server(server, f"CREATE DATABASE {name}")
    yield server.removesuffix("postgres") + name
    _on_server(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database(empty_database: str) -> str:
    """URL of a database with the current schema."""
    upgrade(empty_database)
    return empty_database


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def store(database: str, clock: MovableClock) -> Iterator[JobStore]:
    """A store whose time is the test's `clock`."""
    with JobStore(database, clock) as opened:
        yield opened


@pytest.fixture
def arrivals(clock: MovableClock) -> Callable[..., list[Instance]]:
    """Make instances of one study: `arrivals("1.2", 3)`; `first` numbers the first of them."""

    def make(study_uid: str, n: int = 3, first: int = 1) -> list[Instance]:
        return [
            Instance(
                sop_instance_uid=f"{study_uid}.9.{number}",
                study_uid=study_uid,
                series_uid=f"{study_uid}.{1 + number % 2}",
                sop_class_uid="1.2.840.10008.5.1.4.1.1.4",
                transfer_syntax_uid="1.2.840.10008.1.2.1",
                sha256=f"{number:064x}",
                size=1000 + number,
                path=f"ab/{number}.dcm",
                received_at=clock.now,
            )
            for number in range(first, first + n)
        ]

    return make
