"""Reads objects in a child process, so that no received byte is parsed in the web server.

As `workers.content` does for the receiver: an object that eats memory or time costs the child its
life and itself its answer, and nobody else anything.
"""

from __future__ import annotations

import base64
import json
import logging
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from dicom_objects.served.explicit_vr import Reencoded
from dicom_objects.served.frame_places import FramePlaces
from service.dicomweb.refusals import not_acceptable, not_held, unreadable
from workers.confinement import reader_environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_LOG = logging.getLogger(__name__)
CHILD = (sys.executable, "-m", "service.dicomweb.reading_child")
_TIMEOUT_S = 30.0
_AT_ONCE = 16  # objects a request to the child: others wait no longer than for these
_LONGEST_ANSWER = 256 * 2**20
_FAILED = b'{"error"'


class ObjectReader:
    """Asks the child; it starts with the first request. Many threads may use one."""

    def __init__(self, command: Sequence[str] = CHILD, timeout_s: float = _TIMEOUT_S) -> None:
        """Give the child `timeout_s` for a few objects, then end it."""
        self._command = command
        self._timeout_s = timeout_s
        self._child: subprocess.Popen[bytes] | None = None
        # The child dies with the thread that started it (prctl), so that has to stay.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="dicomweb")

    def close(self) -> None:
        """End the child and take no more requests."""
        self._thread.submit(self._bury).result()
        self._thread.shutdown()

    def attributes(
        self, paths: Sequence[Path], keywords: Sequence[str]
    ) -> Iterator[dict[str, Any] | None]:
        """Yield these attributes of each object in the JSON model; None: it cannot be read."""
        for line in self._answers("attributes", [(path, list(keywords)) for path in paths]):
            yield None if _is_failure(line) else json.loads(line)

    def metadata(self, objects: Sequence[tuple[Path, str]]) -> Iterator[bytes | None]:
        """Yield the whole header of each object as JSON; None: it cannot be read.

        `objects` are files, each with the address under which its large values are found.
        """
        for line in self._answers("metadata", objects):
            yield None if _is_failure(line) else line.rstrip(b"\n")

    def value(self, path: Path, steps: Sequence[str]) -> bytes:
        """Return one binary value; `steps` are tag, item, tag, ...; raises `Refused`."""
        return base64.b64decode(self._one("value", path, list(steps))["value"])

    def frames(self, path: Path) -> FramePlaces:
        """Return where the frames lie; raises `Refused`."""
        found = self._one("frames", path, None)
        pieces = tuple(tuple((at, n) for at, n in frame) for frame in found.pop("encapsulated"))
        return FramePlaces(**found, encapsulated=pieces)

    def explicit(self, path: Path) -> Reencoded:
        """Return the object in Explicit VR Little Endian; raises `Refused`."""
        made = self._one("explicit", path, None)
        for name in ("before", "after"):
            made[name] = base64.b64decode(made[name])
        return Reencoded(**made)

    def _one(self, do: str, path: Path, argument: object) -> dict[str, Any]:
        (line,) = self._answers(do, [(path, argument)])
        answer: dict[str, Any] = json.loads(line or b'{"error": "UNREADABLE_OBJECT"}')
        if "error" in answer:
            raise _refusal(answer["error"], answer.get("text", _UNREADABLE))
        return answer

    def _answers(self, do: str, items: Sequence[tuple[Path, object]]) -> Iterator[bytes]:
        for start in range(0, len(items), _AT_ONCE):
            part = items[start : start + _AT_ONCE]
            yield from self._thread.submit(self._ask, do, part).result()

    def _ask(self, do: str, items: Sequence[tuple[Path, object]]) -> list[bytes]:
        """Return a line for each item, b"" for one that ended the child twice."""
        lines: list[bytes] = []
        while len(lines) < len(items):
            lines += self._tell(do, items[len(lines) :])
            if len(lines) < len(items):  # alone: those before it, or a busy machine, took the time
                lines += self._tell(do, items[len(lines) : len(lines) + 1]) or [b""]
        return lines

    def _tell(self, do: str, items: Sequence[tuple[Path, object]]) -> list[bytes]:
        """Return the lines that came before the child ended, all of them if it did not."""
        child = self._running()
        limit = threading.Timer(self._timeout_s, child.kill)
        limit.start()
        request = {"do": do, "items": [[str(path), argument] for path, argument in items]}
        lines: list[bytes] = []
        try:
            _write(child, json.dumps(request).encode("ascii") + b"\n")
            for _ in items:
                line = child.stdout.readline(_LONGEST_ANSWER) if child.stdout else b""
                if not line.endswith(b"\n"):
                    break
                lines.append(line)
        except BrokenPipeError:
            pass
        finally:
            limit.cancel()
        if len(lines) < len(items):
            self._bury()
            told = {"event": "object_unreadable", "code": "UNREADABLE_OBJECT"}
            _LOG.warning("an object could not be read within the limits", extra=told)
        return lines

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is None:
            self._child = subprocess.Popen(  # noqa: S603
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # a traceback may quote a header
                env=reader_environment(),
                start_new_session=True,  # without a terminal
            )
            if self._child.stdout is not None:
                self._child.stdout.readline()  # it has started: from here on time counts
        return self._child

    def _bury(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.communicate()
            self._child = None


_UNREADABLE = "the object cannot be read within the limits of memory and time"


def _is_failure(line: bytes) -> bool:
    return not line or line.startswith(_FAILED)


def _write(child: subprocess.Popen[bytes], request: bytes) -> None:
    if child.stdin is not None:
        child.stdin.write(request)
        child.stdin.flush()


def _refusal(code: str, text: str) -> Exception:
    match code:
        case "NOT_ENCODABLE":
            return not_acceptable(f"{text}; ask with transfer-syntax=*")
        case "NO_SUCH_VALUE" | "GONE":
            return not_held(text)
        case _:
            return unreadable(text)
