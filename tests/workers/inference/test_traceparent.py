"""What a request to a model server carries, as a real gRPC server on loopback hears it."""

from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
import pytest
from tritonclient.grpc import service_pb2, service_pb2_grpc

from workers.inference.connection import Connection
from workers.inference.endpoint import Endpoint
from workers.inference.exchange import FLOAT, OUTPUT
from workers.inference.model import ModelUnavailable
from workers.vitals import SlabAsked, Telling

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


class Server(service_pb2_grpc.GRPCInferenceServiceServicer):
    """Answers with zeros and keeps what stood in the request's header."""

    def __init__(self):
        self.headers = []
        self.away = False

    def ModelInfer(self, request, context):  # noqa: N802 - the name in the protocol
        self.headers.append(dict(context.invocation_metadata()))
        if self.away:
            context.abort(grpc.StatusCode.UNAVAILABLE, "away")
        shape = (1, 2, *request.inputs[0].shape[2:])
        answer = service_pb2.ModelInferResponse(model_name=request.model_name)
        answer.outputs.add(name=OUTPUT, datatype=FLOAT, shape=shape)
        answer.raw_output_contents.append(np.zeros(shape, np.float32).tobytes())
        return answer


@pytest.fixture
def served():
    servicer = Server()
    server = grpc.server(ThreadPoolExecutor(2))
    service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield servicer, Endpoint(f"127.0.0.1:{port}", deadline_s=10.0)
    server.stop(None).wait()


def ask(endpoint, telling):
    connection = Connection(endpoint, "network", 1, telling)
    slab = np.zeros((1, 2, 3, 4), np.float32)
    with connection.exchange(2) as exchange:
        return connection.finish(connection.start(slab, exchange)).shape


def test_the_server_hears_the_trace_and_the_span_that_is_told(served):
    servicer, endpoint = served
    heard = []
    assert ask(endpoint, Telling(heard.append, TRACE)) == (2, 2, 3, 4)
    (told,) = heard
    assert isinstance(told, SlabAsked)
    assert (told.model, told.code) == ("network", "")
    assert servicer.headers[0]["traceparent"] == f"00-{TRACE}-{told.span_id}-01"


def test_two_requests_are_two_spans(served):
    _, endpoint = served
    heard = []
    for _ in range(2):
        ask(endpoint, Telling(heard.append, TRACE))
    assert len({told.span_id for told in heard}) == 2


def test_nothing_is_carried_where_nobody_keeps_traces(served):
    servicer, endpoint = served
    ask(endpoint, Telling())
    assert "traceparent" not in servicer.headers[0]


def test_a_request_that_fails_is_told_with_its_code(served):
    servicer, endpoint = served
    servicer.away = True
    heard = []
    with pytest.raises(ModelUnavailable):
        ask(endpoint, Telling(heard.append, TRACE))
    assert [told.code for told in heard] == ["MODEL_UNAVAILABLE"]
