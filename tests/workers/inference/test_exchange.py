"""Slabs and answers on their way, without a server: what stands in its place answers by hand."""

import numpy as np
import pytest
from tritonclient import grpc as triton
from tritonclient.grpc import service_pb2

from imaging.model import Channel, ModelSpec
from workers.inference.answers import check_answer
from workers.inference.exchange import _SHM, MessageExchange, SharedExchange
from workers.inference.model import WrongAnswer

GRID = (4, 6, 8)
SPEC = ModelSpec(
    "m",
    "1",
    (Channel("s0", "fixed", 1.0, 1.0),),
    (5, 4, 4),
    "SPL",
    8,
    2,
    (2, 2, 2),
    ("a", "b"),
    "0",
)


class Registry:
    """Remembers what was registered, as a server does."""

    def __init__(self):
        self.sizes = {}

    def register_system_shared_memory(self, name, key, size, client_timeout):
        assert (_SHM / name).stat().st_size == size
        assert (_SHM / name).stat().st_mode & 0o777 == 0o600
        assert (key, client_timeout) == (f"/{name}", 5.0)
        self.sizes[name] = size

    def unregister_system_shared_memory(self, name, client_timeout):
        assert client_timeout == 5.0
        del self.sizes[name]


def result(shape=(1, 2, *GRID), values=None, name="OUTPUT__0", datatype="FP32"):
    response = service_pb2.ModelInferResponse()
    output = response.outputs.add()
    output.name, output.datatype = name, datatype
    output.shape.extend(shape)
    if values is not None:
        response.raw_output_contents.append(np.asarray(values, dtype=np.float32).tobytes())
    return triton.InferResult(response)


def slab(grid=GRID):
    return np.random.default_rng(0).random((1, *grid), dtype=np.float32)


@pytest.fixture
def registry():
    return Registry()


@pytest.fixture
def shared(registry):
    exchange = SharedExchange(registry, classes=2, timeout_s=5.0)
    yield exchange
    exchange.close()
    assert registry.sizes == {}


def test_shared_memory_has_no_name_once_the_server_has_opened_it(shared, registry):
    shared.request(slab())
    floats = 4 * 6 * 8
    assert sorted(registry.sizes.values()) == [4 * floats, 8 * floats]
    assert not [path for path in _SHM.glob("osteon-*") if path.name in registry.sizes]


def test_shared_memory_is_used_again_until_a_larger_slab_comes(shared, registry):
    shared.request(slab())
    first = set(registry.sizes)
    shared.request(slab((2, 6, 8)))
    assert set(registry.sizes) == first
    shared.request(slab((8, 6, 8)))
    assert len(registry.sizes) == 2
    assert first.isdisjoint(registry.sizes)


def test_the_slab_lies_in_shared_memory_and_the_answer_is_read_from_it(shared):
    given = slab()
    shared.request(given)
    np.testing.assert_array_equal(shared._given.floats, given.ravel())
    shared._answered.floats[:] = np.repeat([0.25, 0.75], given.size)
    answer = shared.answer(result())
    check_answer(SPEC, answer, GRID)
    assert (answer[1] == 0.75).all()


def test_an_answer_that_the_server_never_wrote_is_not_the_one_before(shared):
    shared.request(slab())
    shared._answered.floats[:] = 0.5
    check_answer(SPEC, shared.answer(result()), GRID)
    shared.request(slab())
    with pytest.raises(WrongAnswer, match="not numbers"):
        check_answer(SPEC, shared.answer(result()), GRID)


def test_an_answer_larger_than_the_memory_is_refused(shared):
    shared.request(slab())
    with pytest.raises(WrongAnswer, match="more than was asked for"):
        shared.answer(result(shape=(1, 3, *GRID)))


@pytest.mark.parametrize(
    ("answered", "said"),
    [
        (result(name="OUTPUT__1"), "answered nothing as OUTPUT__0"),
        (result(datatype="FP16"), "answered FP16"),
        (result(shape=(2, *GRID)), r"answered FP32 \(2, 4, 6, 8\)"),
        (result(shape=(2, 2, *GRID)), r"answered FP32 \(2, 2, 4, 6, 8\)"),
        (result(values=[]), "other values than its shape"),
        (result(values=np.ones(7)), "other values than its shape"),
    ],
)
def test_a_message_without_a_whole_answer_is_refused(answered, said):
    with pytest.raises(WrongAnswer, match=said):
        MessageExchange().answer(answered)


def test_a_message_holds_the_answer():
    values = np.repeat([0.25, 0.75], slab().size)
    answer = MessageExchange().answer(result(values=values))
    check_answer(SPEC, answer, GRID)
    assert (answer[0] == 0.25).all()
