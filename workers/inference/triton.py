"""A model on a Triton server, asked over gRPC."""

from __future__ import annotations

import logging
from collections import deque
from contextlib import ExitStack
from typing import TYPE_CHECKING

from imaging.errors import ModelMismatch
from imaging.known_slab import KEY, known_slab
from workers.inference.answers import check_answer, check_known
from workers.inference.connection import Connection
from workers.inference.model import ModelUnavailable
from workers.inference.patience import Patience, breaker_of
from workers.inference.repository import load_known_answer, load_spec
from workers.inference.serving import read_serving
from workers.inference.slabwise import predict_by_slabs
from workers.vitals import Telling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from imaging.model import ModelInput, ModelSpec
    from workers.inference.connection import Call
    from workers.inference.endpoint import Endpoint
    from workers.inference.exchange import Exchange

_LOG = logging.getLogger(__name__)


class TritonModel:
    """Asks a server slab by slab, several at once; sends nothing on that was not checked.

    Before the first slab, and whenever the server was away, the server has to answer the known slab
    as `osteon.json` says. That also warms it up.
    """

    def __init__(
        self,
        folder: Path,
        endpoint: Endpoint,
        version: int | None = None,
        telling: Telling | None = None,
    ) -> None:
        """Read the declaration, find the server, and prove that it serves this file.

        Args:
            folder: the model's folder in the repository, which is the server's repository too.
            endpoint: where the server is.
            version: the model's numbered folder; the one that serves if not given.
            telling: whom to tell of requests; nobody if not given.

        Raises:
            ModelMismatch: the declaration is not usable, or the server serves something else.
            ModelUnavailable: the server is away.

        """
        version = version or read_serving(folder).version
        self._spec = load_spec(folder, version)
        known = load_known_answer(folder, version)
        if known is None:
            message = (
                f"model {self._spec.name} {self._spec.version} in {folder}: osteon.json has no "
                f"{KEY}, so the server's answers cannot be checked; osteon models verify --record"
            )
            raise ModelMismatch(message)
        self._known = known
        telling = telling or Telling()
        self._connection = Connection(endpoint, folder.name, version, telling)
        self._in_flight = endpoint.in_flight
        self._patience = Patience(endpoint.patience_s, breaker_of(endpoint.url))
        self._patience.breaker.tell = telling.tell
        self._patience.persist(self._prove)
        self._connection.sweep()

    @property
    def spec(self) -> ModelSpec:
        """What the model declares about its input and its classes."""
        return self._spec

    def predict(
        self, model_input: ModelInput, on_progress: Callable[[float], None]
    ) -> NDArray[np.float16]:
        """See `SegmentationModel.predict`."""
        return predict_by_slabs(self._spec, model_input, self._answers, on_progress)

    def _answers(self, slabs: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
        """Give answers in order, with up to `in_flight` requests under way."""
        under_way: deque[tuple[NDArray[np.float32], Call]] = deque()
        with ExitStack() as stack:
            stack.callback(_cancel, under_way)
            free = [self._exchange(stack) for _ in range(self._in_flight)]
            for slab in slabs:
                if not free:
                    yield from self._oldest(under_way, free)
                under_way.append((slab, self._connection.start(slab, free.pop())))
            while under_way:
                yield from self._oldest(under_way, free)

    def _oldest(
        self, under_way: deque[tuple[NDArray[np.float32], Call]], free: list[Exchange]
    ) -> Iterator[NDArray[np.float32]]:
        """Give the answer to the oldest request; then its exchange is free again."""
        slab, call = under_way.popleft()
        try:
            answer = self._connection.finish(call)
        except ModelUnavailable as error:
            told = {"event": "slab_asked_again", "code": error.code}
            _LOG.warning("%s; the slab is asked again", error, extra=told)
            self._patience.breaker.failed()
            answer = self._patience.persist(lambda: self._again(slab, call.exchange))
        yield answer
        free.append(call.exchange)

    def _again(self, slab: NDArray[np.float32], exchange: Exchange) -> NDArray[np.float32]:
        """Ask a slab of a server that was away: another one may have come back."""
        self._prove()
        exchange.close()
        return self._connection.finish(self._connection.start(slab, exchange))

    def _prove(self) -> None:
        """Check that the server is ready and serves what the declaration says.

        Raises:
            ModelMismatch: it serves something else.
            ModelUnavailable: it is away.

        """
        self._connection.check_ready()
        self._connection.check_tensors(len(self._spec.channels), len(self._spec.classes))
        slab = known_slab(self._spec)
        with self._connection.exchange(len(self._spec.classes)) as exchange:
            answer = self._connection.finish(self._connection.start(slab, exchange))
            check_answer(self._spec, answer, slab.shape[1:])
            check_known(self._spec, answer, self._known)

    def _exchange(self, stack: ExitStack) -> Exchange:
        return stack.enter_context(self._connection.exchange(len(self._spec.classes)))


def _cancel(under_way: deque[tuple[NDArray[np.float32], Call]]) -> None:
    for _, call in under_way:
        call.cancel()
