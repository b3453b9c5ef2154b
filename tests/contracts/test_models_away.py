"""A Triton that is killed in the middle of a study, and what comes back."""

import os
import shutil
import subprocess
import threading

import numpy as np
import pytest
from tritonclient import grpc as triton

from imaging.errors import ModelMismatch
from imaging.geometry import Geometry
from imaging.model import ModelInput
from tests.contracts.served_models import Network, write_served
from tests.model_server import ModelServer
from workers.inference.exchange import _SHM, SharedExchange
from workers.inference.model import ModelUnavailable
from workers.inference.patience import breaker_of
from workers.inference.triton import TritonModel


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    repository = tmp_path_factory.mktemp("models") / "repository"
    write_served(repository / "network", Network(1))
    return repository


@pytest.fixture(scope="module")
def shared_server(repository, tmp_path_factory):
    server = ModelServer(repository, tmp_path_factory.mktemp("triton") / "log")
    yield server
    server.kill()


@pytest.fixture
def server(shared_server):
    """Running, whatever the test before did to it."""
    if not shared_server.runs:
        shared_server.start()
    shared_server.wait()
    breaker_of(shared_server.url).succeeded()
    return shared_server


def given(shape=(40, 6, 7)):
    array = np.random.default_rng(0).random((2, *shape), dtype=np.float32)
    return ModelInput(array, Geometry.axial(shape, (5.0, 4.0, 4.0), (0, 0, 0)))


class Interruption:
    """Kills the server after the first slab, and lets it come back a little later."""

    def __init__(self, server: ModelServer, come_back: bool = True) -> None:
        self._server = server
        self._come_back = come_back
        self._timer: threading.Timer | None = None

    def __call__(self, _: float) -> None:
        if self._timer is None:
            self._server.kill()
            self._timer = threading.Timer(1.0, self._server.start)
            if self._come_back:
                self._timer.start()


@pytest.mark.parametrize("shared_memory", [False, True])
def test_a_study_survives_a_server_that_is_killed_and_comes_back(repository, server, shared_memory):
    model = TritonModel(repository / "network", server.endpoint(shared_memory=shared_memory))
    expected = model.predict(given(), lambda _: None)
    told = []
    interruption = Interruption(server)

    def on_progress(done):
        told.append(done)
        interruption(done)

    np.testing.assert_array_equal(model.predict(given(), on_progress), expected)
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert len(told) == 7
    # Nothing is left registered or in the way of the next study.
    client = triton.InferenceServerClient(server.url)
    assert not client.get_system_shared_memory_status(client_timeout=5.0).regions
    client.close()
    assert not list(_SHM.glob("osteon-*"))


def test_a_server_that_stays_away_gives_the_study_back(repository, server):
    model = TritonModel(repository / "network", server.endpoint(patience_s=1.0))
    with pytest.raises(ModelUnavailable, match="is away"):
        model.predict(given(), Interruption(server, come_back=False))


def test_what_a_dead_worker_left_at_the_server_is_taken_back(repository, server, monkeypatch):
    endpoint = server.endpoint(shared_memory=True)
    client = triton.InferenceServerClient(server.url)
    with subprocess.Popen(["true"]) as dead:
        dead.wait()
    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", lambda: dead.pid)
        left = SharedExchange(client, 2, 5.0)
        left.request(given((8, 8, 8)).array)
    mine = SharedExchange(client, 2, 5.0)
    mine.request(given((8, 8, 8)).array)
    assert len(client.get_system_shared_memory_status(client_timeout=5.0).regions) == 4
    TritonModel(repository / "network", endpoint)
    names = client.get_system_shared_memory_status(client_timeout=5.0).regions
    assert [f"-{os.getpid()}-" in name for name in names] == [True, True]
    mine.close()
    assert not client.get_system_shared_memory_status(client_timeout=5.0).regions
    client.close()


def test_memory_that_the_server_cannot_open_is_refused(repository, server, monkeypatch):
    monkeypatch.setattr("workers.inference.exchange._SHM", repository)  # no shared memory at all
    with pytest.raises(ModelMismatch, match="Unable to open shared memory region") as caught:
        TritonModel(repository / "network", server.endpoint(shared_memory=True))
    assert caught.value.code == "MODEL_SERVER_REFUSED"


def test_a_server_that_comes_back_with_another_file_is_not_believed(repository, server, tmp_path):
    mine = shutil.copytree(repository / "network", tmp_path / "mine/network")
    model = TritonModel(mine, server.endpoint())
    other = write_served(tmp_path / "other/network", Network(2))
    shutil.copyfile(other / "1/model.pt", repository / "network/1/model.pt")
    with pytest.raises(ModelMismatch, match="answers the known slab otherwise"):
        model.predict(given(), Interruption(server))
