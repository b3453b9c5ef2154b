import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.acceptance.peers import Orthanc, missing_peers
from tests.chaos.system import embedded, production
from tests.servers import PostgreSQL

BACKENDS = ("embedded", "production")
_NUMBERS = count(1)


@pytest.fixture(autouse=True, scope="session")
def _peers_are_installed() -> None:
    missing = missing_peers()
    if missing:
        pytest.fail(f"not installed: {', '.join(missing)}; run tests/install_peers.sh")


@pytest.fixture(scope="module")
def pacs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    """One Orthanc for the tests of a module."""
    orthanc = Orthanc(tmp_path_factory.mktemp("pacs") / "orthanc")
    yield orthanc
    orthanc.stop()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A PostgreSQL that tests may stop, if they start it again."""
    server = PostgreSQL()
    yield server
    server.close()


@pytest.fixture(scope="module")
def database(postgresql: PostgreSQL) -> str:
    """URL of an empty database."""
    return postgresql.create(f"chaos_{os.getpid()}_{next(_NUMBERS)}")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the tests of a module share."""
    return tmp_path_factory.mktemp("chaos")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """SQLite alone in the short form; PostgreSQL and Redis too in the full one."""
    full = bool(metafunc.config.getoption("--full"))
    if "backend" in metafunc.fixturenames:
        metafunc.parametrize("backend", BACKENDS if full else BACKENDS[:1], scope="module")
    if "hit" in metafunc.fixturenames:
        metafunc.parametrize("hit", (1, 2) if full else (1,))


@pytest.fixture(scope="module")
def system(backend: str, full: bool, place: Path, pacs: Orthanc, request: pytest.FixtureRequest):
    """A running system of one node and one worker, which measures quickly."""
    if backend == "embedded":
        made = embedded(place / backend, pacs)
    else:
        database = request.getfixturevalue("database")
        made = production(place / backend, pacs, database, ("node-a", "worker-1"))
    made.warm = not full
    with made:
        yield made
    if backend == "production":
        made.service.redis.kill()
