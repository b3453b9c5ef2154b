"""How often somebody may come: token buckets in the memory of this process.

Each process of `osteon api` counts for itself, and a restart forgets. It is a guard against a
program that runs wild and against guessing, not a quota.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST = 10_000
"""So many callers are remembered; then those who came longest ago are forgotten."""


@dataclass
class Buckets:
    """One bucket for each key; a full one holds `size`, and `per_s` flow in."""

    clock: Callable[[], float] = time.monotonic
    _levels: dict[str, tuple[float, float]] = field(default_factory=dict)

    def wait_s(self, key: str, per_s: float, size: float, *, takes: float = 1.0) -> float:
        """Take from a bucket; return 0, or for how many seconds it does not hold so much."""
        level, now = self._level(key, per_s, size)
        if level < takes:
            return (takes - level) / per_s
        self._levels.pop(key, None)  # to the end: the first is whoever came longest ago
        self._levels[key] = (level - takes, now)
        while len(self._levels) > _MOST:
            del self._levels[next(iter(self._levels))]
        return 0.0

    def _level(self, key: str, per_s: float, size: float) -> tuple[float, float]:
        now = self.clock()
        level, at = self._levels.get(key, (size, now))
        return min(size, level + (now - at) * per_s), now
