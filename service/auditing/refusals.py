"""A flood of refused associations becomes few entries of the audit.

The first of a kind (who, from where, why) is written at once, those that follow within a minute as
one number. However many titles and addresses a stranger makes up, no more than so many kinds are
told apart in a minute; the rest are one entry without names.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from jobs.audit import AuditEntry

if TYPE_CHECKING:
    from collections.abc import Callable

_Kind: TypeAlias = tuple[str, str, str]
_MANY: _Kind = ("many", "unknown", "")
EVERY_S = 60.0
KINDS = 50


@dataclass
class Refusals:
    """Counts refusals and tells entries. Threads may share one."""

    tell: Callable[[AuditEntry], None]
    clock: Callable[[], float] = time.monotonic
    _since_s: float = field(init=False)
    _counts: Counter[_Kind] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        """Begin the first minute."""
        self._since_s = self.clock()

    def add(self, calling_ae_title: str, address: str, code: str) -> None:
        """Count one refusal."""
        with self._lock:
            kind = (calling_ae_title, address, code)
            if kind not in self._counts and len(self._counts) >= KINDS:
                kind = _MANY
            self._counts[kind] += 1
            first = self._counts[kind] == 1
        if first:
            self.tell(_entry(kind, kind[2]))

    def flush(self, *, at_end: bool = False) -> None:
        """Tell what was only counted, once a minute and at the end."""
        with self._lock:
            if not at_end and self.clock() - self._since_s < EVERY_S:
                return
            told, self._counts, self._since_s = self._counts, Counter(), self.clock()
        for kind, n in told.items():
            if n > 1:
                self.tell(_entry(kind, f"{kind[2]} {n - 1} more within a minute".strip()))


def _entry(kind: _Kind, detail: str) -> AuditEntry:
    calling_ae_title, address, _ = kind
    return AuditEntry(
        "association_refused", "refused", calling_ae_title, "sender", address, detail=detail
    )
