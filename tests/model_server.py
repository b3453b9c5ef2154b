"""A real Triton for tests: the server that deploy/triton_cpu installs, on free loopback ports."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Self

import grpc
from tritonclient import grpc as triton
from tritonclient.utils import InferenceServerException

from workers.inference.endpoint import Endpoint

PROJECT = Path(__file__).resolve().parent.parent
_SERVE = PROJECT / "deploy/triton_cpu/serve.sh"
_START_S = 300.0


class ModelServer:
    """Serves a model repository; may be killed and started again on the same port."""

    def __init__(self, repository: Path, log: Path, threads: int = 1) -> None:
        if not (PROJECT / ".triton/installed").is_file():
            message = "the tests need a Triton: bash tests/install_peers.sh"
            raise FileNotFoundError(message)
        self.repository = repository
        self._log = log
        self._threads = threads
        self._port = free_port()
        self.url = f"127.0.0.1:{self._port}"
        self._region = f"osteon_test_{os.getpid()}_{self._port}"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        self.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def runs(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process id of the server, which runs."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it and return at once."""
        options = {
            "allow-http": "false",
            "allow-metrics": "false",
            "grpc-address": "127.0.0.1",
            "grpc-port": self._port,
            "backend-config": f"python,shm-region-prefix-name={self._region}",
        }
        words = [word for key, value in options.items() for word in (f"--{key}", str(value))]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [_SERVE, self.repository, *words],
                stdout=log,
                stderr=log,
                env={**os.environ, "OMP_NUM_THREADS": str(self._threads)},
                start_new_session=True,
            )

    def wait(self) -> None:
        """Return when every model is ready."""
        end = time.monotonic() + _START_S
        client = triton.InferenceServerClient(self.url)
        try:
            while not self._ready(client):
                if not self.runs or time.monotonic() > end:
                    self.kill()
                    raise RuntimeError(self._log.read_text(errors="replace")[-4000:])
                time.sleep(0.2)
        finally:
            client.close()

    def kill(self) -> None:
        """End it and its backends without a word, as a crash does."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None
        for path in Path("/dev/shm").glob(f"{self._region}*"):  # noqa: S108
            path.unlink()

    def endpoint(self, **changes: object) -> Endpoint:
        """Return how a worker reaches it."""
        return Endpoint(**{"url": self.url, "deadline_s": 60.0, "patience_s": 60.0, **changes})

    @staticmethod
    def _ready(client: triton.InferenceServerClient) -> bool:
        try:
            return bool(client.is_server_ready(client_timeout=2.0))
        except (InferenceServerException, grpc.RpcError):
            return False


def free_port() -> int:
    """Return a TCP port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
