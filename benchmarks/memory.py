"""Peak memory of process trees, looked at once a second."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Self

_EVERY_S = 1.0


class MemoryWatch:
    """Keeps the largest sum of each tree while its block runs.

    A page that several processes have mapped counts in equal parts (Linux's Pss), so that sums
    hold it once.
    """

    def __init__(self, roots: Mapping[str, int]) -> None:
        """Watch the trees that grow from these process ids, each under a name."""
        self._roots = {name: psutil.Process(pid) for name, pid in roots.items()}
        self._peaks = dict.fromkeys(roots, 0)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    @property
    def peaks(self) -> Mapping[str, int]:
        """Bytes by name, so far."""
        return self._peaks

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Look no more."""
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(_EVERY_S):
            for name, root in self._roots.items():
                with suppress(psutil.NoSuchProcess):
                    tree = (root, *root.children(recursive=True))
                    self._peaks[name] = max(self._peaks[name], sum(map(_bytes, tree)))


def _bytes(process: psutil.Process) -> int:
    with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
        return int(process.memory_full_info().pss)
    return 0
