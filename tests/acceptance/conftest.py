from collections.abc import Iterator
from pathlib import Path

import pytest

from dicom_objects.scanner.study import write_study
from phantom.acquisition import Protocol, acquire
from phantom.patient import make_patient
from tests.acceptance.peers import Orthanc, missing_peers
from tests.acceptance.quick_model import write_quick_model

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
