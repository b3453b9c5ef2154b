"""Keep freed memory in the process: on a CPU, page faults cost half of a training step."""

from __future__ import annotations

import ctypes
import sys

_M_TRIM_THRESHOLD = -1
_M_TOP_PAD = -2
_M_MMAP_MAX = -4


def keep_freed_memory() -> None:
    """Tell glibc's malloc to reuse large blocks instead of returning them to the kernel.

    Measured on a step of 2 patches of 48x96x160 (two cores): 1.44 s before, 0.76 s after. Does
    nothing outside Linux with glibc.
    """
    if not sys.platform.startswith("linux"):
        return
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):  # another C library
        return
    mallopt(_M_MMAP_MAX, 0)
    mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)
    mallopt(_M_TOP_PAD, 64 << 20)
