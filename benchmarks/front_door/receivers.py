"""A receiver: a process on a port that keeps what it gets in a folder."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from benchmarks.front_door.association import Association, PeerError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator

QUICK = {**os.environ, "TCP_NODELAY": "1"}
_START_S = 60.0
_PORTS = iter(range(20_000 + os.getpid() % 4000, 32_000))  # outgoing ones begin at 32768
_LOCK = threading.Lock()
PROJECT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Certificate:
    """Files of a server's key and certificate, and what a client makes of them."""

    key: Path
    certificate: Path
    client: ssl.SSLContext


@dataclass(frozen=True)
class Place:
    """Where one receiver works."""

    port: int
    folder: Path
    """Settings and log, and without `disk` everything that it writes."""
    associations: int | None = None
    """At once, where the receiver has a setting for it; its own limit if None."""
    tls: Certificate | None = None
    floor_gib: float = 1.0
    """Free space that Osteon keeps; the others have no such setting."""
    disk: Path | None = None
    """Where images and databases go, if elsewhere."""

    @property
    def images(self) -> Path:
        """The folder that everything goes to that was received."""
        return (self.disk or self.folder) / "images"


@dataclass(frozen=True)
class Receiver:
    """A program that takes images."""

    name: str
    command: Callable[[Place], list[str]]
    version: Callable[[], str]
    called: str = "ANY-SCP"


@dataclass(frozen=True)
class Running:
    """A receiver that answers echoes."""

    receiver: Receiver
    place: Place
    process: subprocess.Popen[bytes] = field(repr=False)

    def call(self, seconds: float = 60.0, host: str = "127.0.0.1") -> Association:
        """Ask for an association; raises `PeerError`."""
        tls = self.place.tls.client if self.place.tls else None
        called = self.receiver.called
        return Association(self.place.port, called, seconds=seconds, tls=tls, host=host)

    def answers(self, seconds: float, host: str = "127.0.0.1") -> bool:
        """Tell whether an echo is answered within `seconds`."""
        try:
            with self.call(seconds, host) as association:
                return association.echo() == 0
        except PeerError:
            return False

    def tree(self) -> list[psutil.Process]:
        """Return the process and those that it started."""
        root = psutil.Process(self.process.pid)
        return [root, *root.children(recursive=True)]

    def cpu_s(self) -> float:
        """Return the processor seconds of all its processes so far, ended ones included."""
        total = 0.0
        for process in self.tree():
            with contextlib.suppress(psutil.NoSuchProcess):
                total += sum(process.cpu_times()[:4])  # its own and those of children that ended
        return total

    def memory_bytes(self) -> int:
        """Return what its processes hold together; what several share counts once (Pss)."""
        total = 0
        for process in self.tree():
            with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                total += int(process.memory_full_info().pss)
        return total

    def peak_bytes(self) -> int:
        """Return the largest resident set that one of its processes had."""
        peaks = [_peak(process.pid) for process in self.tree()]
        return max(peaks)


@contextlib.contextmanager
def running(receiver: Receiver, place: Place) -> Iterator[Running]:
    """Start a receiver, wait until it answers, and end it with all that it started."""
    for folder in (place.folder, place.images):
        folder.mkdir(parents=True, exist_ok=True)
    with (place.folder / "log").open("ab") as log:
        process = subprocess.Popen(
            receiver.command(place), env=QUICK, cwd=PROJECT, stdout=log, stderr=log
        )
    made = Running(receiver, place, process)
    try:
        _wait(made)
        yield made
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and its children: nothing of it is read again but what it made durable."""
    with contextlib.suppress(psutil.NoSuchProcess):
        for child in psutil.Process(process.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
    process.kill()
    process.wait()


def _wait(made: Running) -> None:
    deadline = time.monotonic() + _START_S
    while not made.answers(2.0):
        if made.process.poll() is not None or time.monotonic() > deadline:
            told = (made.place.folder / "log").read_text("utf-8", "replace")[-500:]
            raise PeerError(f"{made.receiver.name} did not start: {told}")
        time.sleep(0.1)


def unused_port() -> int:
    """Return a port that no outgoing connection gets by chance, and nobody was given before."""
    with _LOCK:
        for port in _PORTS:
            with socket.socket() as probe, contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port
    raise OSError("no port is free")


def _peak(pid: int) -> int:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text("ascii"))
        return int(found[1]) * 1024 if found else 0
    return 0
