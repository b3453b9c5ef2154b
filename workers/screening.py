"""Finds the files of a study that must not be read, before anything that matters reads one.

Every file is read once in a child that can do nothing else (docs/parsing.md). A file that ends
the child, by a crash, by memory or by time, is left out with a reason; one that another process
ended the child over is read again.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import select
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Self, cast

from dicom_objects.errors import NoUsableDiffusion
from dicom_objects.reading.damage import DamagedImage, damage_records
from dicom_objects.reading.rehearsal import digest_of
from workers.confinement import end_group, reader_environment
from workers.screening_child import MEMORY

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_LOG = logging.getLogger(__name__)
CHILD = (sys.executable, "-m", "workers.screening_child")
CRASH, TIME = "READER_CRASH", "READER_TIME"
MOST_ENDED = 3
"""After so many files that ended their reader no more of the study is read."""
_ENDED = (CRASH, TIME, MEMORY)
_TEXTS = {
    CRASH: "ended the process that read it, twice",
    TIME: "takes longer to be read than an image may",
}
_SPACE_GIB, _TIMES_LARGEST = 0.5, 3.0
_START_S = 120.0
_PIECE = 1 << 16


@dataclass(frozen=True)
class Limits:
    """What reading one file may cost; the memory grows with the largest file of the study."""

    memory_gib: float = 1.0
    cpu_s: float = 20.0
    wall_s: float = 120.0
    """A busy machine takes several times the processor's time."""
    study_s: float = 900.0
    """For all files of a study together, wall time."""


@dataclass(frozen=True)
class Screened:
    """The files that may be read, in the order given, and those that may not."""

    sound: tuple[Path, ...]
    damaged: tuple[DamagedImage, ...] = ()


@dataclass(frozen=True)
class Screening:
    """Reads files in children; each call has its own."""

    limits: Limits = Limits()
    command: Sequence[str] = CHILD

    def __call__(self, paths: Sequence[Path]) -> Screened:
        """Read every file once that is there.

        Raises:
            NoUsableDiffusion: too many files ended their reader; its `series` say how.
            ChildProcessError: the reader does not start at all.

        """
        deadline = time.monotonic() + self.limits.study_s
        damaged: list[DamagedImage] = []
        todo = [path for path in paths if path.is_file()]
        alone = False
        while todo:
            batch = todo[:1] if alone else todo
            answers, how = self._read(batch, deadline)
            if alone and not answers:
                answers = [_blamed(batch[0], how)]
            damaged += [found for found in answers if found is not None]
            todo = todo[len(answers) :]
            # What another process did to the reader is not the file's doing: it alone, once more.
            alone = not alone and bool(how) and not _ran_out_of_memory(answers)
            if sum(found.code in _ENDED for found in damaged) >= MOST_ENDED:
                raise _given_up(damaged)
        _tell(damaged)
        left = {image.path for image in damaged}
        return Screened(tuple(path for path in paths if path not in left), tuple(damaged))

    def _read(
        self, paths: Sequence[Path], deadline: float
    ) -> tuple[list[DamagedImage | None], str]:
        """Return an answer for each file until the reader ended, and why it did before the end."""
        largest = max(path.stat().st_size for path in paths)
        memory_gib = max(self.limits.memory_gib, _SPACE_GIB + _TIMES_LARGEST * largest / 2**30)
        told = {"memory_gib": memory_gib, "cpu_s": self.limits.cpu_s}
        answers: list[DamagedImage | None] = []
        with _Reader(self.command, {"paths": [str(p.absolute()) for p in paths], **told}) as reader:
            for path in paths:
                wait_s = min(self.limits.wall_s, deadline - time.monotonic())
                line = reader.line(wait_s)
                if not line:
                    break
                said = json.loads(line)
                answers.append(DamagedImage(path, **said) if said else None)
        return answers, "" if len(answers) == len(paths) else reader.how


class _Reader:
    """One child and its answers."""

    def __init__(self, command: Sequence[str], request: dict[str, Any]) -> None:
        self.how = CRASH
        self._rest = b""
        self._child = subprocess.Popen(  # noqa: S603
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # a traceback may quote a header
            env=reader_environment(),
            start_new_session=True,
        )
        # Both are there: they were asked for as pipes.
        requests, self._answers = cast(
            "tuple[IO[bytes], IO[bytes]]", (self._child.stdin, self._child.stdout)
        )
        with contextlib.suppress(BrokenPipeError), requests:
            requests.write(json.dumps(request).encode("ascii") + b"\n")

    def __enter__(self) -> Self:
        if self.line(_START_S) != b"ready":
            self.__exit__()
            raise ChildProcessError("the process that reads files of strangers does not start")
        return self

    def __exit__(self, *_: object) -> None:
        end_group(self._child)
        if self._child.returncode == -signal.SIGXCPU:
            self.how = TIME
        self._answers.close()

    def line(self, wait_s: float) -> bytes:
        """Return the next answer; b"" where none comes."""
        until = time.monotonic() + wait_s
        while b"\n" not in self._rest:
            left_s = until - time.monotonic()
            if left_s <= 0 or not select.select([self._answers], [], [], left_s)[0]:
                self.how = TIME
                return b""
            more = os.read(self._answers.fileno(), _PIECE)
            if not more:
                return b""
            self._rest += more
        line, _, self._rest = self._rest.partition(b"\n")
        return line


def _blamed(path: Path, how: str) -> DamagedImage:
    return DamagedImage(path, how, _TEXTS[how], f"the file with SHA-256 {digest_of(path)}")


def _ran_out_of_memory(answers: Sequence[DamagedImage | None]) -> bool:
    last = answers[-1] if answers else None
    return last is not None and last.code == MEMORY


def _given_up(damaged: Sequence[DamagedImage]) -> NoUsableDiffusion:
    last = damaged[-1]
    text = (
        f"{MOST_ENDED} images of the study ended the process that read them, the last one,"
        f" {last.name}: it {last.text}; no more of it is read"
    )
    return NoUsableDiffusion(last.code, text, damage_records(damaged))


def _tell(damaged: Sequence[DamagedImage]) -> None:
    for code, count in Counter(image.code for image in damaged).items():
        told = {"event": "images_damaged", "code": code}
        _LOG.warning("%d images of the study are left out", count, extra=told)
