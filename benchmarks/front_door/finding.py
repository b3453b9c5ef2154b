"""What one abuse did to one receiver."""

from __future__ import annotations

import subprocess
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.front_door.association import PeerError
from benchmarks.front_door.receivers import Place, Running, running, unused_port

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from benchmarks.front_door.images import Images
    from benchmarks.front_door.receivers import Certificate, Receiver

MB = 10**6
ANSWER_S = 1.0
"""A receiver that answers an echo within this is not disturbed."""


@dataclass(frozen=True)
class Finding:
    """Whether a receiver stood it, and by which figure."""

    abuse: str
    receiver: str
    passed: bool | None
    """None: not measured."""
    figure: str

    @property
    def shown(self) -> str:
        """What stands in the table."""
        word = {True: "pass", False: "**fail**", None: "not measured"}[self.passed]
        return f"{word}: {self.figure}"

    def document(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Bench:
    """What every abuse has at hand."""

    folder: Path
    images: Images
    certificate: Certificate

    def place(self, receiver: Receiver, **options: Any) -> Place:  # noqa: ANN401 - those of Place
        """Return a new place for a receiver."""
        port = unused_port()
        words = receiver.name.replace(" ", "_").replace("-", "")
        return Place(port, self.folder / f"{words}{port}", **options)


Judged = tuple[bool | None, str]


@dataclass(frozen=True)
class Abuse:
    """One row of the table."""

    name: str
    passes: str
    """When a receiver passes."""
    judge: Callable[[Receiver, Bench], Judged]
    waits: bool = False
    """It mostly waits: all receivers may be tried at once."""

    def on(self, receiver: Receiver, bench: Bench) -> Finding:
        """Do it to one receiver; what goes wrong on the way is a finding too."""
        try:
            passed, figure = self.judge(receiver, bench)
        except (PeerError, OSError, subprocess.SubprocessError) as error:
            passed, figure = None, " ".join(str(error).split())[:200]
        return Finding(self.name, receiver.name, passed, figure)


def first_answer_s(receiver: Running, limit_s: float) -> float | None:
    """Return the seconds until an echo is answered over a new association, None if never."""
    begun = time.monotonic()
    while (left_s := begun + limit_s - time.monotonic()) > 0:
        if receiver.answers(min(5.0, left_s)):
            return time.monotonic() - begun
        time.sleep(0.1)
    return None


def judged_wait(waited_s: float | None, limit_s: float) -> Judged:
    """Say how long the first answer took."""
    if waited_s is None:
        return False, f"no answer in {limit_s:.0f} s"
    return waited_s < ANSWER_S, f"answered after {waited_s:.1f} s"


def started(receiver: Receiver, bench: Bench, options: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401
    """Return a receiver in a new place, as a context."""
    return running(receiver, bench.place(receiver, **(options or {})))
