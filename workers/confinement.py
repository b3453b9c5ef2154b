"""The limits of a child process that parses what came over the network."""

from __future__ import annotations

import ctypes
import resource
import signal
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_OOM_SCORE = "500"


def confine(memory_gib: float | None) -> None:
    """Die with the supervisor, be the first to go when memory is short, keep to the limit."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the supervisor decides; a terminal tells both
    Path("/proc/self/oom_score_adj").write_text(_OOM_SCORE, encoding="ascii")
    if memory_gib is not None:
        limit = int(memory_gib * 2**30)
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
