"""Log lines of refused associations, so many a minute: a flood at the door is none in the log."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field

_LOG = logging.getLogger(__name__)

LINES_A_MINUTE = 60
_MINUTE_S = 60.0


@dataclass
class RefusalLog:
    """Writes lines until there are too many, and counts the rest."""

    lines: int = LINES_A_MINUTE
    _began_s: float = -_MINUTE_S
    _written: int = 0
    _more: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def write(self, address: str, sentence: str, code: str) -> None:
        """Say that somebody at `address` was refused, or count it."""
        with self._lock:
            more = self._begin_anew()
            quiet = self._written >= self.lines
            self._written += not quiet
            self._more += quiet
        if more:
            told = {"event": "associations_refused", "code": "MORE_REFUSED"}
            _LOG.warning("%s more associations were refused", more, extra=told)
        if not quiet:
            told = {"event": "association_refused", "code": code}
            _LOG.warning("%s is refused: %s", address, sentence, extra=told)

    def _begin_anew(self) -> int:
        """Begin another minute if one is over; return how many it did not write."""
        now_s = time.monotonic()
        if now_s - self._began_s < _MINUTE_S:
            return 0
        more, self._more = self._more, 0
        self._began_s, self._written = now_s, 0
        return more
