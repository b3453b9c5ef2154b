"""Looks at the content of open studies in a child process, so that no header can hurt the node.

DICOM is parsed in a child and never in the receiver (reliability.md fact 9): a data set that eats
memory or time costs the child its life and its study nothing but the quiet period. The child keeps
the headers that it has read, so each file is read once while its study is open.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

from dicom_node.content import Verdict
from workers.confinement import reader_environment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicom_node.content import Content
    from dicom_objects.reading.completeness import WholeBody

_LOG = logging.getLogger(__name__)
CHILD = (sys.executable, "-m", "workers.content_child")
_TIMEOUT_S = 60.0


class ContentProcess:
    """A `dicom_node.content.ContentCheck`; the child starts with the first look."""

    def __init__(
        self,
        expected: WholeBody,
        command: Sequence[str] = CHILD,
        timeout_s: float = _TIMEOUT_S,
    ) -> None:
        """Look for `expected`; a look that takes longer than `timeout_s` ends without a verdict."""
        self._expected = dataclasses.asdict(expected)
        self._command = command
        self._timeout_s = timeout_s
        self._child: subprocess.Popen[str] | None = None
        self._closed = False
        self._lock = threading.Lock()
        self._asking = threading.Lock()

    def __call__(self, content: Content) -> Verdict:
        """See `ContentCheck`."""
        if not content.paths:
            return Verdict(False, "there is no MR image in it")
        request = {
            "study_uid": content.study_uid,
            "paths": [str(path) for path in content.paths],
            "late": [str(path) for path in content.late],
            "expected": self._expected,
        }
        with self._asking:
            answer = self._ask(json.dumps(request))
        if not answer:
            return Verdict(False, "its headers could not be read within the limits")
        return Verdict(**json.loads(answer))

    def close(self) -> None:
        """See `ContentCheck`."""
        with self._lock:
            self._closed = True
            if self._child is not None:
                self._child.kill()
        with self._asking:  # a look that ran has ended now
            if self._child is not None:
                self._bury(self._child)

    def _ask(self, request: str) -> str:
        """Return the child's answer; "" when it died or had to be ended."""
        child = self._running()
        if child is None or child.stdin is None or child.stdout is None:
            return ""
        limit = threading.Timer(self._timeout_s, child.kill)
        limit.start()
        try:
            child.stdin.write(f"{request}\n")
            child.stdin.flush()
            answer = child.stdout.readline()
        except BrokenPipeError:
            answer = ""
        finally:
            limit.cancel()
        if not answer:
            self._bury(child)
        return answer

    def _running(self) -> subprocess.Popen[str] | None:
        with self._lock:
            if self._child is None and not self._closed:
                self._child = subprocess.Popen(  # noqa: S603
                    self._command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,  # a traceback may quote a header
                    text=True,
                    env=reader_environment(),
                    start_new_session=True,  # without a terminal
                )
            return self._child

    def _bury(self, child: subprocess.Popen[str]) -> None:
        """End a child that is dead or late; the next look has another."""
        child.kill()
        child.communicate()
        with self._lock:
            self._child = None
            closed = self._closed
        if not closed:
            told = {"event": "look_ended", "code": "LOOK_ENDED"}
            _LOG.warning("the look at headers ended with status %s", child.returncode, extra=told)
