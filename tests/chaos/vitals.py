"""I6: what a process holds, at the start and after it was ill-treated."""

import time
from dataclasses import dataclass

import psutil

WAIT_S = 10.0
SHARE = 0.10
# Ten percent of a few is nothing: an allocator's arena, a thread that waits for its end.
LEAST = {"rss_mb": 12.0, "threads": 2.0, "files": 4.0}


@dataclass(frozen=True)
class Vitals:
    """Memory in MB (10^6 bytes), threads and open files of one process."""

    rss_mb: float
    threads: float
    files: float


def vitals_of(pid: int) -> Vitals:
    process = psutil.Process(pid)
    with process.oneshot():
        rss_mb = process.memory_info().rss / 1e6
        return Vitals(rss_mb, process.num_threads(), process.num_fds())


class VitalsWatch:
    """Notes what a process holds, and says what it holds more of later."""

    def __init__(self, pid: int, wait_s: float = WAIT_S) -> None:
        self._pid = pid
        self._wait_s = wait_s
        self.before = vitals_of(pid)

    def grown(self) -> list[str]:
        """Return what does not come back to the baseline + 10 % within 10 s."""
        deadline = time.monotonic() + self._wait_s
        while (more := self._more()) and time.monotonic() < deadline:
            time.sleep(0.2)
        return more

    def _more(self) -> list[str]:
        now = vitals_of(self._pid)
        return [
            f"{name} of process {self._pid}: {vars(now)[name]:g}, was {before:g}"
            for name, before in vars(self.before).items()
            if vars(now)[name] > before + max(SHARE * before, LEAST[name])
        ]
