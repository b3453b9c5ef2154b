"""The same bodies over the model in the worker and a real Triton, by gRPC and by shared memory."""

import itertools
import shutil
import socket
import time
from dataclasses import replace

import numpy as np
import pytest
from tritonclient.utils import InferenceServerException

from imaging.errors import ModelMismatch
from imaging.geometry import Geometry
from imaging.model import ModelInput
from tests.contracts import served_models
from tests.contracts.served_models import write_repository
from tests.model_server import ModelServer, free_port
from workers.inference.connection import Call, Connection
from workers.inference.endpoint import Endpoint
from workers.inference.model import ModelUnavailable
from workers.inference.opening import ModelOpener
from workers.inference.serving import Serving, write_serving
from workers.inference.triton import TritonModel
from workers.inference.watched import Request

HALF_STEP = 2.0**-11
"""Half a step of float16 at 1: the answers are kept in half precision."""


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    return write_repository(tmp_path_factory.mktemp("models") / "repository")


@pytest.fixture(scope="module")
def server(repository, tmp_path_factory):
    with ModelServer(repository, tmp_path_factory.mktemp("triton") / "log") as server:
        yield server


@pytest.fixture(params=["embedded", "triton", "shared memory"])
def opener(request):
    if request.param == "embedded":
        return ModelOpener(threads=1)
    server = request.getfixturevalue("server")
    return ModelOpener(server.endpoint(shared_memory=request.param == "shared memory"))


def given(shape=(19, 6, 7), level=0.0):
    array = np.random.default_rng(0).random((2, *shape), dtype=np.float32)
    if level:
        array[:, 0, 0, 0] = level
    return ModelInput(array, Geometry.axial(shape, (5.0, 4.0, 4.0), (0, 0, 0)))


def ignore(_):
    pass


def test_channel_zero_comes_back_whatever_the_slabs(opener, repository):
    model = opener.open(repository / "moody")
    told = []
    answer = model.predict(given(), told.append)
    np.testing.assert_allclose(answer[1], given().array[0], atol=2 * HALF_STEP)
    assert answer.dtype == np.float16
    assert told == [pytest.approx(1 / 3), pytest.approx(2 / 3), 1.0]


def test_a_networks_numbers_are_those_of_the_worker(opener, repository):
    expected = ModelOpener(threads=1).open(repository / "network").predict(given(), ignore)
    answer = opener.open(repository / "network").predict(given(), ignore)
    np.testing.assert_allclose(answer, expected, rtol=0, atol=HALF_STEP)
    assert expected[1].std() > 0.05


def test_bodies_of_other_sizes_follow_each_other(opener, repository):
    model = opener.open(repository / "moody")
    for shape in ((4, 4, 4), (19, 12, 9), (8, 5, 6)):
        answer = model.predict(given(shape), ignore)
        np.testing.assert_allclose(answer[1], given(shape).array[0], atol=2 * HALF_STEP)


def test_the_version_that_serves_answers(opener, repository):
    first = opener.open(repository / "network", 1).predict(given(), ignore)
    second = opener.open(repository / "network", 2).predict(given(), ignore)
    assert np.abs(first - second).max() > 0.05
    folder = repository / "network"
    try:
        write_serving(folder, Serving(2, 1))
        np.testing.assert_array_equal(opener.open(folder).predict(given(), ignore), second)
        write_serving(folder, Serving(1).tried(2, 100))
        trial = replace(opener, study_uid="1.2.3").open(folder)
        np.testing.assert_array_equal(trial.predict(given(), ignore), second)
        np.testing.assert_array_equal(opener.open(folder).predict(given(), ignore), first)
    finally:
        (folder / "serving.json").unlink()


@pytest.mark.parametrize(
    ("level", "code", "said"),
    [
        (served_models.NOT_NUMBERS, "MODEL_WRONG_ANSWER", "not numbers"),
        # In shared memory there is no room for a third class, so the server itself says so.
        (served_models.OTHER_SHAPE, "MODEL_", r"answers shape \(3, 8, 8, 8\)|at least 6144 bytes"),
        (served_models.NO_PROBABILITIES, "MODEL_WRONG_ANSWER", "no probabilities"),
        (served_models.REFUSES, "MODEL_", "Sizes of tensors must match"),
    ],
)
def test_what_is_no_answer_is_refused_with_a_code(opener, repository, level, code, said):
    model = opener.open(repository / "moody")
    with pytest.raises(ModelMismatch, match=said) as caught:
        model.predict(given(level=level), ignore)
    assert caught.value.code.startswith(code)
    # The next study finds the model as it was.
    assert model.predict(given((4, 4, 4)), ignore)[1].max() > 0.5


def test_an_input_of_other_channels_is_refused(opener, repository):
    model = opener.open(repository / "moody")
    wrong = ModelInput(given().array[:1], given().geometry)
    with pytest.raises(ModelMismatch, match="takes 2 channels, it was given 1"):
        model.predict(wrong, ignore)


def test_a_slow_answer_ends_at_the_deadline(repository, server):
    endpoint = server.endpoint(deadline_s=0.4, patience_s=0.0)
    model = TritonModel(repository / "moody", endpoint)
    with pytest.raises(ModelUnavailable, match=r"did not answer within 0\.4 s") as caught:
        model.predict(given(level=served_models.SLOW), ignore)
    assert caught.value.code == "MODEL_DEADLINE"


def test_a_model_that_the_server_does_not_have_is_refused(repository, server, tmp_path):
    with pytest.raises(ModelMismatch, match="does not serve other version 1") as caught:
        TritonModel(shutil.copytree(repository / "moody", tmp_path / "other"), server.endpoint())
    assert caught.value.code == "MODEL_SERVER_REFUSED"


def test_a_server_with_another_file_is_refused(server, tmp_path):
    mine = served_models.write_served(tmp_path / "network", served_models.Network(3))
    with pytest.raises(ModelMismatch, match="answers the known slab otherwise") as caught:
        TritonModel(mine, server.endpoint())
    assert caught.value.code == "MODEL_WRONG_ANSWER"


def test_a_model_without_a_known_answer_is_not_asked(server, repository, tmp_path):
    folder = shutil.copytree(repository / "network", tmp_path / "network")
    text = (folder / "osteon.json").read_text().replace('"known_slab"', '"unknown"')
    (folder / "osteon.json").write_text(text)
    with pytest.raises(ModelMismatch, match="osteon models verify --record"):
        TritonModel(folder, server.endpoint())


def test_requests_that_fail_now_and_then_do_not_change_the_answer(repository, server, monkeypatch):
    model = TritonModel(repository / "network", server.endpoint())
    expected = model.predict(given((40, 6, 7)), ignore)
    sound, fails, failed = Connection.start, itertools.cycle([False, False, True]), []

    def flaky(self, slab, exchange):
        if not next(fails):
            return sound(self, slab, exchange)
        failed.append(slab.shape)
        call = Call(exchange, 1.0, Request("network", "0" * 16, ignore))
        call.done(None, InferenceServerException("away", status="StatusCode.UNAVAILABLE"))
        return call

    monkeypatch.setattr(Connection, "start", flaky)
    np.testing.assert_array_equal(model.predict(given((40, 6, 7)), ignore), expected)
    assert len(failed) >= 3


def test_nobody_there_is_a_matter_of_waiting(repository):
    endpoint = Endpoint(f"127.0.0.1:{free_port()}", patience_s=0.6)
    with pytest.raises(ModelUnavailable, match=r"is away \(UNAVAILABLE\)") as caught:
        TritonModel(repository / "moody", endpoint)
    assert caught.value.code == "MODEL_UNAVAILABLE"


def test_a_server_that_takes_calls_and_says_nothing_is_left(repository):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = Endpoint(f"127.0.0.1:{silent.getsockname()[1]}", deadline_s=0.5, patience_s=0.0)
        began = time.monotonic()
        with pytest.raises(ModelUnavailable):
            TritonModel(repository / "moody", endpoint)
        assert time.monotonic() - began < 30
