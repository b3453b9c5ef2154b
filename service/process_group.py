"""Processes of our own: started together, started again when one ends, stopped together."""

from __future__ import annotations

import ctypes
import logging
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_LOG = logging.getLogger(__name__)
_PR_SET_PDEATHSIG = 1
_LOOK_S = 0.2
_GRACE_S = 25.0
_SETTLED_S = 30.0
_PAUSES_S = (0.2, 1.0, 5.0, 15.0)


def stop_event() -> threading.Event:
    """Return an event that SIGTERM and SIGINT set; call from the main thread."""
    stop = threading.Event()

    def ask(_number: int, _frame: object) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    return stop


def end_with_parent() -> None:
    """Be asked to stop when the process that started this one dies, however it dies."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass
class _Member:
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    failures: int = 0
    start_again_at: float = 0.0


@dataclass
class ProcessGroup:
    """Members by name; a member that ends is started again, after a growing pause."""

    commands: Mapping[str, Sequence[str]]
    log: int | None = None
    """File descriptor for the members' stderr; theirs is ours if not given."""
    _members: dict[str, _Member] = field(default_factory=dict)

    def start(self) -> None:
        """Start every member."""
        self._members = {name: _Member(command) for name, command in self.commands.items()}
        for member in self._members.values():
            self._start(member)

    def run(self, stop: threading.Event) -> None:
        """Keep the members running until `stop` is set, then stop them."""
        self.start()
        try:
            self.keep(stop)
        finally:
            self.stop()

    def keep(self, stop: threading.Event) -> None:
        """Start again what ends, until `stop` is set."""
        while not stop.is_set():
            self.look()
            stop.wait(_LOOK_S)

    def look(self) -> None:
        """Start again what has ended, when its pause is over."""
        for name, member in self._members.items():
            if member.process is not None and member.process.poll() is not None:
                self._bury(name, member)
            if member.process is None and time.monotonic() >= member.start_again_at:
                self._start(member)

    def pid(self, name: str) -> int | None:
        """Return the process id of a member; None while it is not running."""
        process = self._members[name].process
        return None if process is None or process.poll() is not None else process.pid

    def stop(self) -> None:
        """Ask every member to stop, make those that do not; return when all are gone."""
        running = list(self._running())
        for process in running:
            process.terminate()
        deadline = time.monotonic() + _GRACE_S
        for process in running:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                text = "a process did not stop in time and was ended"
                _LOG.warning(text, extra={"event": "process_killed"})
                process.kill()
                process.wait()

    def _running(self) -> Iterator[subprocess.Popen[bytes]]:
        for member in self._members.values():
            if member.process is not None and member.process.poll() is None:
                yield member.process

    def _start(self, member: _Member) -> None:
        member.process = subprocess.Popen(  # noqa: S603 - our own commands
            member.command, stderr=self.log, stdout=self.log, start_new_session=True
        )
        member.started_at = time.monotonic()

    def _bury(self, name: str, member: _Member) -> None:
        lived_s = time.monotonic() - member.started_at
        status = member.process.returncode if member.process is not None else None
        member.failures = 0 if lived_s > _SETTLED_S else member.failures + 1
        pause_s = _PAUSES_S[min(member.failures, len(_PAUSES_S)) - 1]
        text = "%s ended with status %s; it is started again"
        _LOG.warning(text, name, status, extra={"event": "process_ended"})
        member.process = None
        member.start_again_at = time.monotonic() + pause_s


def own_command(arguments: Sequence[str], name: str) -> list[str]:
    """Return the command of one of our processes, which ends when this one does."""
    return [sys.executable, "-m", "service", *arguments, name, "--end-with-parent"]
