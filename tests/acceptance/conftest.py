from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from dicom_objects.scanner.study import Identity, write_study
from phantom.acquisition import Protocol, acquire
from phantom.patient import make_patient
from tests.acceptance.peers import Orthanc, missing_peers
from tests.acceptance.production import Production, make_production
from tests.acceptance.quick_model import write_quick_model
from tests.servers import PostgreSQL, Redis

COARSE = Protocol(
    b_values=(50.0, 900.0), n_stations=2, in_plane_mm=5.0, slice_mm=10.0, matrix=(80, 104)
)


@pytest.fixture(autouse=True, scope="session")
def _peers_are_installed() -> None:
    missing = missing_peers()
    if missing:
        pytest.fail(f"not installed: {', '.join(missing)}; run tests/install_peers.sh")


@pytest.fixture
def orthanc(tmp_path: Path) -> Iterator[Orthanc]:
    pacs = Orthanc(tmp_path / "orthanc")
    yield pacs
    pacs.stop()


@pytest.fixture(scope="session")
def quick_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_quick_model(tmp_path_factory.mktemp("quick") / "models")


@pytest.fixture(scope="session")
def coarse():
    """One coarse acquisition, which many identities may be scanned with."""
    return acquire(make_patient(1000), COARSE)


@pytest.fixture(scope="session")
def coarse_study(coarse, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    write_study(coarse, folder)
    return folder


@pytest.fixture
def studies(tmp_path: Path, coarse) -> Callable[[int], list[Path]]:
    """Write studies of other identities: `studies(3)` gives their folders."""

    def write(n: int) -> list[Path]:
        folders = [tmp_path / f"study{number}" for number in range(n)]
        for number, folder in enumerate(folders):
            identity = Identity(accession_number=f"FAULT{number}")
            write_study(coarse, folder, identity, distractors=False)
        return folders

    return write


_NUMBERS = count(1)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A PostgreSQL that tests may stop, if they start it again."""
    server = PostgreSQL()
    yield server
    server.close()


@pytest.fixture
def installed(tmp_path: Path, orthanc: Orthanc, postgresql: PostgreSQL):
    """Install production mode: `installed(models, triton)`; its processes end with the test."""
    made: list[Production] = []

    def install(models: Path, triton: str | None = None) -> Production:
        database = postgresql.create(f"production_{next(_NUMBERS)}")
        made.append(make_production(tmp_path / "osteon", orthanc, models, database, triton))
        return made[-1]

    yield install
    for production in made:
        production.stop()
        production.redis.kill()
        logs = production.logs()
        assert Redis.PASSWORD not in logs
        assert "s%2Fecret" not in logs
        assert "Traceback" not in logs


@pytest.fixture
def production(installed, quick_models: Path) -> Production:
    """Production mode with quick models in its workers; no process is started yet."""
    return installed(quick_models)
