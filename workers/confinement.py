"""The limits of a child process: of one that computes, and of one that only reads files."""

from __future__ import annotations

import ctypes
import resource
import signal
from dataclasses import dataclass
from pathlib import Path

from workers.system_calls import forbid_all_but_reading

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38
_OOM_SCORE = "500"
_OPEN_FILES = 4096
_PARSER_FILES = 256
_PARSER_TASKS = 4096
"""Processes and threads of its user, all together: the system counts no others."""


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


def _limit(which: int, value: int) -> None:
    """Lower a limit for good; one that is lower already stays."""
    _, hard = resource.getrlimit(which)
    allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(which, (allowed, allowed))


def _prctl(option: int, value: int) -> None:
    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
