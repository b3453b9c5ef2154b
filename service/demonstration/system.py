"""The embedded service on free ports in a folder of its own, and what its REST interface says."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.process_group import ProcessGroup, own_command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROCESSES = ("node", "worker", "api")
_START_S = 60.0
_LOOK_S = 0.2
_ANSWER_S = 10.0


class DemonstrationError(Exception):
    """The demonstration cannot go on; the message says what was missing."""

    code = "DEMONSTRATION"


@dataclass(frozen=True)
class Place:
    """Where the demonstration runs."""

    folder: Path
    node_port: int
    api_port: int
    pacs_port: int
    pacs_ae_title: str

    @property
    def page(self) -> str:
        """The address of the console."""
        return f"http://127.0.0.1:{self.api_port}/"

    def write_settings(self) -> Path:
        """Write the settings file of the demonstration; everything else stays at its default."""
        text = (
            f"data_dir = {json.dumps(str(self.folder / 'data'))}\n"
            f"[node]\nport = {self.node_port}\nquiet_s = 3.0\n"
            f"[api]\nport = {self.api_port}\n"
            f'[[destinations]]\nname = "stand-in PACS"\nae_title = "{self.pacs_ae_title}"\n'
            f'host = "127.0.0.1"\nport = {self.pacs_port}\n'
        )
        path = self.folder / "osteon.toml"
        path.write_text(text, encoding="utf-8")
        return path


def free_port() -> int:
    """Return a TCP port on loopback that was free a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@contextlib.contextmanager
def running(place: Place, arguments: list[str]) -> Iterator[ProcessGroup]:
    """Run node, worker and console during the block; their logs go to osteon.log.

    Raises:
        DemonstrationError: they did not start.

    """
    log = os.open(place.folder / "osteon.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    group = ProcessGroup({name: own_command(arguments, name) for name in PROCESSES}, log)
    group.start()
    try:
        _wait_until_ready(place, group)
        yield group
    finally:
        group.stop()
        os.close(log)


def ask(place: Place, path: str) -> tuple[int, Any]:
    """GET a path of the REST interface: status and JSON."""
    connection = http.client.HTTPConnection("127.0.0.1", place.api_port, timeout=_ANSWER_S)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def _wait_until_ready(place: Place, group: ProcessGroup) -> None:
    deadline = time.monotonic() + _START_S
    checks: list[dict[str, Any]] = []
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            status, document = ask(place, "/readyz")
            if status == http.client.OK:
                return
            checks = document["checks"]
        group.look()
        time.sleep(_LOOK_S)
    reasons = "; ".join(str(check["reason"]) for check in checks if not check["ok"])
    message = f"the service did not start: {reasons or 'no answer'}; see {place.folder}/osteon.log"
    raise DemonstrationError(message)
