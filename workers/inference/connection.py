"""The calls to Triton and what their errors mean."""

from __future__ import annotations

import contextlib
import os
from concurrent.futures import Future
from typing import TYPE_CHECKING

from tritonclient import grpc as triton
from tritonclient.utils import InferenceServerException

from workers.inference.exchange import (
    FLOAT,
    INPUT,
    OUTPUT,
    MessageExchange,
    SharedExchange,
    sweep,
)
from workers.inference.model import ModelDeadline, ModelUnavailable, ServerRefused
from workers.inference.watched import Request
from workers.vitals import Telling

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from workers.inference.endpoint import Endpoint
    from workers.inference.exchange import Exchange

_ASK_S = 10.0
"""For questions that need no computing, unless the deadline is shorter."""
_GRACE_S = 5.0
# A whole slab is one message; a server that comes back is found within seconds.
_CHANNEL = [
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 2000),
]
_AWAY = frozenset({"UNAVAILABLE", "CANCELLED", "ABORTED"})
_FORGOTTEN = "find shared memory"
"""What a server that came back says of memory that was registered before."""


class Call:
    """One request under way."""

    def __init__(self, exchange: Exchange, deadline_s: float, request: Request) -> None:
        """Wait for nothing yet; `done` is what the client calls at the end."""
        self.exchange = exchange
        self.request = request
        self._future: Future[triton.InferResult] = Future()
        self._limit_s = deadline_s + _GRACE_S
        self.handle: triton.CallContext | None = None

    def done(
        self, result: triton.InferResult | None, error: InferenceServerException | None
    ) -> None:
        """Keep the result or the error."""
        if error is None:
            self._future.set_result(result)
        else:
            self._future.set_exception(error)

    def wait(self) -> triton.InferResult:
        """Return the result when it is there; raise the client's error."""
        return self._future.result(self._limit_s)

    def cancel(self) -> None:
        """Tell the server that nobody waits any more."""
        if self.handle is not None:
            self.handle.cancel()


class Connection:
    """Asks one version of one model on one server."""

    def __init__(
        self, endpoint: Endpoint, model: str, version: int, telling: Telling | None = None
    ) -> None:
        """Connect lazily; `model` is the name of its folder in the repository."""
        self.endpoint = endpoint
        self._telling = telling or Telling()
        self._ask_s = min(_ASK_S, endpoint.deadline_s)
        self._model = model
        self._version = str(version)
        self._client = triton.InferenceServerClient(endpoint.url, channel_args=_CHANNEL)

    def check_ready(self) -> None:
        """Make sure that server and model are up.

        Raises:
            ModelUnavailable: the server is away or still loads.
            ServerRefused: it is up and does not serve this version.

        """
        with self._explained():
            if not self._client.is_server_ready(client_timeout=self._ask_s):
                message = f"the model server at {self.endpoint.url} is still loading its models"
                raise ModelUnavailable(message)
            if not self._client.is_model_ready(
                self._model, self._version, client_timeout=self._ask_s
            ):
                message = (
                    f"the model server at {self.endpoint.url} does not serve {self._model} version "
                    f"{self._version}: give it this model repository and start it again"
                )
                raise ServerRefused(message)

    def check_tensors(self, channels: int, classes: int) -> None:
        """Make sure that the model has one input and one output, of the declared sizes.

        Raises:
            ServerRefused: it has others.
            ModelUnavailable: the server is away.

        """
        with self._explained():
            found = self._client.get_model_metadata(
                self._model, self._version, client_timeout=self._ask_s
            )
        tensors = [(t.name, t.datatype, tuple(t.shape)) for t in (*found.inputs, *found.outputs)]
        wanted = [
            (INPUT, FLOAT, (-1, channels, -1, -1, -1)),
            (OUTPUT, FLOAT, (-1, classes, -1, -1, -1)),
        ]
        if tensors != wanted:
            message = f"the model server's {self._model} takes and gives {tensors}, not {wanted}"
            raise ServerRefused(message)

    @contextlib.contextmanager
    def exchange(self, classes: int) -> Iterator[Exchange]:
        """Hold a way for slabs and their answers."""
        exchange: Exchange = MessageExchange()
        if self.endpoint.shared_memory:
            exchange = SharedExchange(self._client, classes, self._ask_s)
        try:
            yield exchange
        finally:
            exchange.close()

    def sweep(self) -> None:
        """Take back shared memory that dead processes of this host left at the server."""
        if self.endpoint.shared_memory:
            with self._explained():
                sweep(self._client, self._ask_s)

    def start(self, slab: NDArray[np.float32], exchange: Exchange) -> Call:
        """Send a slab; its answer, or why it could not be sent, comes by `finish`."""
        span_id = os.urandom(8).hex()
        asked = Request(self._model, span_id, self._telling.tell)
        call = Call(exchange, self.endpoint.deadline_s, asked)
        try:
            given = exchange.request(slab)
        except InferenceServerException as error:
            call.done(None, error)
            return call
        call.handle = self._client.async_infer(
            self._model,
            [given],
            call.done,
            model_version=self._version,
            outputs=[exchange.requested()],
            client_timeout=self.endpoint.deadline_s,
            headers=self._telling.headers(span_id),
        )
        return call

    def finish(self, call: Call) -> NDArray[np.float32]:
        """Wait for the answer (class, slice, row, column); valid until the next request.

        Raises:
            ModelUnavailable: the server went away; `ModelDeadline`: it did not answer in time.
            ModelMismatch: it refused the request, or what it answered is no answer.

        """
        with call.request.timed(), self._explained():
            return call.exchange.answer(call.wait())

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn the client's errors into ours."""
        try:
            yield
        except TimeoutError as error:
            raise self._late() from error
        except InferenceServerException as error:
            status = str(error.status()).removeprefix("StatusCode.")
            said = (str(error.message()).strip().splitlines() or [""])[-1][:200]
            if status == "DEADLINE_EXCEEDED":
                raise self._late() from error
            if status in _AWAY or _FORGOTTEN in said:
                message = f"the model server at {self.endpoint.url} is away ({status})"
                raise ModelUnavailable(message) from error
            message = f"the model server at {self.endpoint.url} refused ({status}): {said}"
            raise ServerRefused(message) from error

    def _late(self) -> ModelDeadline:
        message = (
            f"the model server at {self.endpoint.url} did not answer within "
            f"{self.endpoint.deadline_s:g} s; it may be overloaded (models.triton.deadline_s)"
        )
        return ModelDeadline(message)
