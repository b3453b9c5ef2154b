"""Databases for the contract tests: SQLite files, and a real PostgreSQL that the session starts."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from jobs.migrate import upgrade
from jobs.store import JobStore
from jobs.study import Instance
from tests.servers import PostgreSQL

_NUMBERS = count(1)


class MovableClock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgreSQL]:
    """A PostgreSQL on a free loopback port."""
    server = PostgreSQL()
    yield server
    server.close()


@pytest.fixture(scope="session")
def postgresql(postgresql_server: PostgreSQL) -> str:
    """URL of the server's maintenance database."""
    return postgresql_server.url()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a database with nothing in it: the test runs once for each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'osteon.sqlite'}"
        return
    server: PostgreSQL = request.getfixturevalue("postgresql_server")
    name = f"test_{next(_NUMBERS)}"
    yield server.create(name)
    server.drop(name)


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
