"""The real peers: DCMTK sends, Orthanc receives; and our own processes, which may be killed."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.servers import free_port

STORESCU = "/usr/bin/storescu"  # the one on PATH in a virtual environment is pynetdicom's
ORTHANC = "/usr/sbin/Orthanc"
_QUICK = {**os.environ, "TCP_NODELAY": "1"}  # without it small objects take 25 times as long
_START_S = 60.0


def missing_peers() -> list[str]:
    return [program for program in (STORESCU, ORTHANC) if shutil.which(program) is None]


def wait_for(what: str, test: Callable[[], Any], limit_s: float) -> Any:
    """Return what `test` returns once that is true."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        found = test()
        if found:
            return found
        time.sleep(0.2)
    message = f"{what} did not happen within {limit_s:g} s"
    raise AssertionError(message)


@dataclass(frozen=True)
class Sent:
    """What DCMTK's storescu said: whether all went well, and the files that were acknowledged."""

    complete: bool
    acknowledged: frozenset[Path]


def storescu(folder: Path, port: int) -> Sent:
    return storescu_to("OSTEON", folder, port)


def storescu_to(called: str, folder: Path, port: int) -> Sent:
    command = [STORESCU, "-v", "-aec", called, "+sd", "+r", "127.0.0.1", str(port), str(folder)]
    done = subprocess.run(
        command, env=_QUICK, capture_output=True, text=True, timeout=300, check=False
    )
    return Sent(done.returncode == 0, frozenset(_acknowledged(done.stdout + done.stderr)))


def _acknowledged(told: str) -> Iterator[Path]:
    """Pair each file that was sent with the answer that followed it."""
    for part in told.split("I: Sending file: ")[1:]:
        if "I: Received Store Response (Success)" in part:
            yield Path(part.splitlines()[0])


class OrthancAt:
    """What an Orthanc of this host holds, asked over its REST interface."""

    def __init__(self, http_port: int) -> None:
        self.http_port = http_port

    def instances(self, study_uid: str | None = None) -> list[dict[str, Any]]:
        """Every instance, or those of one study, with its main tags."""
        query = {} if study_uid is None else {"StudyInstanceUID": study_uid}
        question = {"Level": "Instance", "Query": query, "Expand": True}
        found: list[dict[str, Any]] = json.loads(self._ask("/tools/find", json.dumps(question)))
        return found

    def file(self, instance_id: str) -> bytes:
        return self._ask(f"/instances/{instance_id}/file")

    def tag(self, instance_id: str, name: str) -> str:
        tags = json.loads(self._ask(f"/instances/{instance_id}/simplified-tags"))
        return str(tags[name])

    def post(self, path: str, body: bytes | None = None) -> bytes:
        """Ask anything of its REST interface: POST with a body, GET without."""
        return self._ask(path, body)

    def _ask(self, path: str, body: str | bytes | None = None) -> bytes:
        url = f"http://127.0.0.1:{self.http_port}{path}"
        data = body.encode() if isinstance(body, str) else body
        with urllib.request.urlopen(url, data, timeout=30) as answer:
            content: bytes = answer.read()
            return content


class Orthanc(OrthancAt):
    """A PACS of Debian's package with a folder and ports of its own; may be away for a while."""

    def __init__(self, folder: Path, **more: object) -> None:
        super().__init__(free_port())
        self.dicom_port = free_port()
        folder.mkdir()
        config = {
            "Name": "TESTPACS",
            "StorageDirectory": str(folder),
            "IndexDirectory": str(folder),
            "HttpPort": self.http_port,
            "DicomPort": self.dicom_port,
            "DicomAet": "ORTHANC",
            "RemoteAccessAllowed": False,
            "AuthenticationEnabled": False,
            "DicomAlwaysAllowStore": True,
            "DicomAlwaysAllowFind": True,  # a destination is asked whether it has what it took
            "Plugins": [],
            **more,
        }
        self._config = folder / "orthanc.json"
        self._config.write_text(json.dumps(config))
        self.start()

    def start(self) -> None:
        with self._config.with_suffix(".log").open("a") as log:
            self._process = subprocess.Popen(
                [ORTHANC, str(self._config)], env=_QUICK, stdout=log, stderr=log
            )
        wait_for("Orthanc's start", self._answers, _START_S)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(30)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(30)

    def _answers(self) -> bool:
        try:
            self._ask("/system")
        except OSError:
            return False
        return True


@dataclass
class Service:
    """Node, worker and REST interface as processes of ours."""

    folder: Path
    settings: Path
    node_port: int
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)

    def start(self, name: str) -> None:
        command = [sys.executable, "-m", "service", "--config", str(self.settings), name]
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                env={**os.environ, **self.environment},
                start_new_session=True,
            )

    def kill(self, name: str) -> None:
        self.processes[name].send_signal(signal.SIGKILL)
        self.processes[name].wait()

    def stop(self) -> None:
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            assert process.wait(40) is not None

    def listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.node_port), 0.5).close()
        except OSError:
            return False
        return True


def make_service(folder: Path, pacs: Orthanc, models: Path, quiet_s: float) -> Service:
    """Write the settings of a service that delivers to `pacs`; nothing is started yet."""
    folder.mkdir()
    port = free_port()
    settings = folder / "osteon.toml"
    settings.write_text(
        f'data_dir = "{folder / "data"}"\n'
        f"[node]\nport = {port}\nquiet_s = {quiet_s}\n"
        f"[worker]\nlease_s = 4.0\npoll_s = 0.2\nthreads = 1\n"
        # The quick model draws no spinal canal; with one that does, this changes nothing.
        f'[normalisation]\nwithout_canal = "percentile"\n'
        f'[models]\nrepository = "{models}"\ndisease = "{disease_method(models)}"\n'
        f'[[destinations]]\nname = "orthanc"\nae_title = "ORTHANC"\nhost = "127.0.0.1"\n'
        f"port = {pacs.dicom_port}\n"
    )
    return Service(folder, settings, port)


def disease_method(models: Path) -> str:
    """The disease network where the repository has one; the quick repository has anatomy only."""
    return "disease" if (models / "disease").is_dir() else "rule"
