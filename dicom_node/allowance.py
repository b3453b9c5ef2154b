"""How much one peer may send an hour, over all of its associations (`Rule.bytes_an_hour`)."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dicom_node.gate import Rule

_HOUR_S = 3600.0


class Allowances:
    """What is left to each rule: full at first, and refilled all the time."""

    def __init__(self) -> None:
        """Have spent nothing."""
        self._left: dict[Rule, tuple[float, float]] = {}  # bytes, at monotonic seconds
        self._lock = threading.Lock()

    def spend(self, rule: Rule, count: int) -> bool:
        """Take bytes from what is left to a rule; False, and nothing is taken, if it is less."""
        most = rule.bytes_an_hour
        if most is None:
            return True
        with self._lock:
            now_s = time.monotonic()
            left, since_s = self._left.get(rule, (float(most), now_s))
            left = min(most, left + (now_s - since_s) * most / _HOUR_S)
            enough = count <= left
            self._left[rule] = left - count * enough, now_s
        return enough
