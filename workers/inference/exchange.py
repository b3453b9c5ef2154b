"""How one slab travels to Triton and its answer back: inside the gRPC message or shared memory."""

from __future__ import annotations

import contextlib
import itertools
import mmap
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from tritonclient import grpc as triton
from tritonclient.utils import InferenceServerException

from workers.inference.model import WrongAnswer

if TYPE_CHECKING:
    from numpy.typing import NDArray

INPUT, OUTPUT = "INPUT__0", "OUTPUT__0"
FLOAT = "FP32"
_SHM = Path("/dev/shm")  # noqa: S108 - where POSIX shared memory is on Linux
_FLOAT_BYTES = 4
_COUNTER = itertools.count()
_PAGE_FLOATS = 1024


class Exchange(Protocol):
    """Carries one slab at a time; used again for the next one."""

    def request(self, slab: NDArray[np.float32]) -> triton.InferInput:
        """Return the input of a request with `slab` (channel, slice, row, column)."""
        ...

    def requested(self) -> triton.InferRequestedOutput:
        """Return where the answer to that request shall go."""
        ...

    def answer(self, result: triton.InferResult) -> NDArray[np.float32]:
        """Return (class, slice, row, column); valid until the next request.

        Raises:
            WrongAnswer: there is no such output, it is not float32, or it has no values.

        """
        ...

    def close(self) -> None:
        """Give back what the server or this host holds for it."""
        ...


class MessageExchange:
    """Slab and answer are part of the gRPC messages."""

    def request(self, slab: NDArray[np.float32]) -> triton.InferInput:
        """See `Exchange`."""
        tensor = triton.InferInput(INPUT, [1, *slab.shape], FLOAT)
        tensor.set_data_from_numpy(slab[None])
        return tensor

    def requested(self) -> triton.InferRequestedOutput:
        """See `Exchange`."""
        return triton.InferRequestedOutput(OUTPUT)

    def answer(self, result: triton.InferResult) -> NDArray[np.float32]:
        """See `Exchange`."""
        shape = output_shape(result)
        try:
            values: NDArray[np.float32] = result.as_numpy(OUTPUT)[0]
        except (ValueError, IndexError) as error:
            message = f"the model server answered other values than its shape {shape} says"
            raise WrongAnswer(message) from error
        return values

    def close(self) -> None:
        """Nothing is held."""


class SharedExchange:
    """Slab and answer lie in shared memory that the server has mapped too.

    The file's name is gone as soon as the server has opened it, so that a killed process leaves no
    file; what it leaves registered, `sweep` takes back.
    """

    def __init__(
        self, client: triton.InferenceServerClient, classes: int, timeout_s: float
    ) -> None:
        """Hold nothing yet: the first slab says how much is needed."""
        self._client = client
        self._classes = classes
        self._timeout_s = timeout_s
        self._given: _Region | None = None
        self._answered: _Region | None = None

    def request(self, slab: NDArray[np.float32]) -> triton.InferInput:
        """See `Exchange`; registers memory where there is none of the size.

        Raises:
            InferenceServerException: the server cannot open it.

        """
        size = slab[0].size * self._classes
        if self._given is None or self._answered is None or self._answered.floats.size < size:
            self.close()
            self._given = _Region(self._client, slab.size, self._timeout_s)
            self._answered = _Region(self._client, size, self._timeout_s)
        self._given.floats[: slab.size] = slab.ravel()
        # An answer that was never written must not look like the last one.
        self._answered.floats[::_PAGE_FLOATS] = np.nan
        tensor = triton.InferInput(INPUT, [1, *slab.shape], FLOAT)
        tensor.set_shared_memory(self._given.name, slab.nbytes)
        return tensor

    def requested(self) -> triton.InferRequestedOutput:
        """See `Exchange`."""
        output = triton.InferRequestedOutput(OUTPUT)
        if self._answered is not None:
            output.set_shared_memory(self._answered.name, self._answered.floats.nbytes)
        return output

    def answer(self, result: triton.InferResult) -> NDArray[np.float32]:
        """See `Exchange`."""
        shape = output_shape(result)
        size = int(np.prod(shape))
        if self._answered is None or size > self._answered.floats.size:
            message = f"the model server answered more than was asked for: {shape}"
            raise WrongAnswer(message)
        answer: NDArray[np.float32] = self._answered.floats[:size].reshape(shape)[0]
        return answer

    def close(self) -> None:
        """Take back the registrations; a server that is gone has forgotten them itself."""
        for region in (self._given, self._answered):
            if region is not None:
                with contextlib.suppress(InferenceServerException):
                    self._client.unregister_system_shared_memory(
                        region.name, client_timeout=self._timeout_s
                    )
        self._given = self._answered = None


class _Region:
    """Shared memory of some float32 that this process and the server have mapped."""

    def __init__(self, client: triton.InferenceServerClient, floats: int, timeout_s: float) -> None:
        self.name = f"{_prefix()}{os.getpid()}-{next(_COUNTER)}"
        size = floats * _FLOAT_BYTES
        path = _SHM / self.name
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.posix_fallocate(file, 0, size)  # fail now, not by SIGBUS later
            self.floats: NDArray[np.float32] = np.frombuffer(mmap.mmap(file, size), np.float32)
            client.register_system_shared_memory(
                self.name, f"/{self.name}", size, client_timeout=timeout_s
            )
        finally:
            os.close(file)
            path.unlink()


def sweep(client: triton.InferenceServerClient, timeout_s: float) -> int:
    """Unregister what processes of this host left that are no more; return how many."""
    status = client.get_system_shared_memory_status(client_timeout=timeout_s)
    names = [name for name in status.regions if name.startswith(_prefix())]
    left = [name for name in names if not _alive(name.removeprefix(_prefix()).split("-")[0])]
    for name in left:
        client.unregister_system_shared_memory(name, client_timeout=timeout_s)
    return len(left)


def output_shape(result: triton.InferResult) -> tuple[int, ...]:
    """Return the declared shape of the answer, batch first.

    Raises:
        WrongAnswer: there is no such output, or it is not one array of float32.

    """
    output = result.get_output(OUTPUT)
    if output is None or output.datatype != FLOAT or len(output.shape) != 5 or output.shape[0] != 1:
        found = "nothing" if output is None else f"{output.datatype} {tuple(output.shape)}"
        message = f"the model server answered {found} as {OUTPUT}, not one slab of {FLOAT}"
        raise WrongAnswer(message)
    return tuple(int(size) for size in output.shape)


def _prefix() -> str:
    return f"osteon-{socket.gethostname()}-"


def _alive(pid: str) -> bool:
    return Path("/proc", pid).exists()
