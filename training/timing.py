"""What a step takes: on the clock, and of this process's processor time."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")


@dataclass(frozen=True)
class ScanTime:
    """Seconds that one scan took; on a busy machine the processor's are the ones to compare."""

    wall_s: float
    cpu_s: float


def timed(make: Callable[[], Result]) -> tuple[Result, ScanTime]:
    """Return what `make` returns, and the time that it took."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = make()
    return result, ScanTime(time.perf_counter() - wall, time.process_time() - cpu)
