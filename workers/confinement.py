"""The limits of a child process: of one that computes, and of one that only reads files."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workers.system_calls import forbid_all_but_reading

if TYPE_CHECKING:
    import subprocess

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38
_OOM_SCORE = "500"
_OPEN_FILES = 4096
_PARSER_FILES = 256
_PARSER_TASKS = 4096
"""Processes and threads of its user, all together: the system counts no others."""
_KEPT = ("PATH", "PYTHON", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "LANG", "LC_", "TZ", "HOME")
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}


@dataclass(frozen=True)
class ReadingLimits:
    """What a process may use that does nothing but read files of strangers."""

    memory_gib: float = 1.0
    """Address space."""
    cpu_s: int | None = None
    """Processor time of its life; none where it is long and its owner has a clock."""


def confine(memory_gib: float | None) -> None:
    """Die with the supervisor, be the first to go when memory is short, keep to the limits.

    No core is dumped and no other process of the user may look in: memory holds images of people.
    """
    # Before the process is closed to others, which closes this file too.
    Path("/proc/self/oom_score_adj").write_text(_OOM_SCORE, encoding="ascii")
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _prctl(_PR_SET_DUMPABLE, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the supervisor decides; a terminal tells both
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_NOFILE, _OPEN_FILES)
    if memory_gib is not None:
        _limit(resource.RLIMIT_AS, int(memory_gib * 2**30))


def confine_reader(limits: ReadingLimits) -> bool:
    """Confine a process that reads files and answers on pipes that are open already.

    It writes no file, starts no process and opens no socket from here on, and whatever it starts
    of threads is bound too. False where the kernel filters no system calls: limits alone hold.
    """
    confine(limits.memory_gib)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_NOFILE, _PARSER_FILES)
    _limit(resource.RLIMIT_NPROC, _PARSER_TASKS)
    if limits.cpu_s is not None:
        _limit(resource.RLIMIT_CPU, limits.cpu_s)
    return forbid_all_but_reading()


def reader_environment() -> dict[str, str]:
    """Return what a process that only reads has to know of ours: no setting, so no password."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(_KEPT)}
    return kept | _ONE_THREAD


def end_group(child: subprocess.Popen[Any]) -> None:
    """Kill a child that began a session, and all that it started there; return when it is gone."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _limit(which: int, value: int) -> None:
    """Lower a limit for good; one that is lower already stays."""
    _, hard = resource.getrlimit(which)
    allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(which, (allowed, allowed))


def _prctl(option: int, value: int) -> None:
    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
