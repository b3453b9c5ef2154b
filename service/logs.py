"""Logs: one JSON object a line on stderr, one schema, nothing that names a patient.

Libraries that quote DICOM values in their messages (pydicom, pynetdicom, highdicom, and all that
Python's warnings say) are kept to errors without their text, and a traceback is written as places
in the code: an exception's own message may carry what a data set holds. docs/monitoring.md
explains the fields.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sys
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

ALWAYS = ("ts", "level", "process", "logger", "event", "msg")
"""Fields of every line."""
SOMETIMES = ("code", "job_id", "stage", "trace_id", "error", "at")
"""Fields of lines that have something to say there."""
LIBRARY = "library"
"""The event of a line that is not ours."""

_JOB_ID: ContextVar[str | None] = ContextVar("job_id", default=None)
_STAGE: ContextVar[str | None] = ContextVar("stage", default=None)
_TRACE_ID: ContextVar[str | None] = ContextVar("trace_id", default=None)
_QUOTING = ("pydicom", "pynetdicom", "highdicom", "py.warnings")
_OURS = (
    "dicom_node",
    "dicom_objects",
    "imaging",
    "jobs",
    "phantom",
    "report",
    "service",
    "workers",
)


@contextlib.contextmanager
def bound_job(job_id: str) -> Iterator[None]:
    """Write `job_id` on every log line inside the block; it is the id of the job's trace too."""
    token = _JOB_ID.set(job_id)
    try:
        yield
    finally:
        _JOB_ID.reset(token)


def bind_stage(stage: str | None) -> None:
    """Write this stage on the log lines that follow in this context."""
    _STAGE.set(stage)


def bind_trace(trace_id: str) -> None:
    """Write this trace id on the log lines that follow in this context."""
    _TRACE_ID.set(trace_id)


def trace_id() -> str | None:
    """Return the trace id of this context."""
    return _TRACE_ID.get() or _JOB_ID.get()


def configure(process: str, level: str = "INFO") -> None:
    """Send every log record of this process to stderr as JSON; call once, at the start."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(process))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in _OURS:
        logging.getLogger(name).setLevel(level)
    logging.captureWarnings(capture=True)  # pydicom's quote the values that they warn of
    for name in _QUOTING:
        logging.getLogger(name).setLevel(logging.ERROR)


class JsonLines(logging.Formatter):
    """Formats a record as one JSON object with the fields of `ALWAYS` and of `SOMETIMES`.

    A call gives event, code and job id by `extra`; job, stage and trace that are bound come by
    themselves.
    """

    def __init__(self, process: str) -> None:
        """Name the process on every line."""
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without a line end."""
        at = datetime.fromtimestamp(record.created, tz=UTC)
        line: dict[str, Any] = {
            "ts": at.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "process": self._process,
            "logger": record.name,
            "event": getattr(record, "event", LIBRARY),
            "msg": _text(record),
        }
        line |= {name: value for name, value in _bound(record).items() if value is not None}
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
            line["at"] = places(record.exc_info[2])
        return json.dumps(line, ensure_ascii=False)


def _bound(record: logging.LogRecord) -> dict[str, str | None]:
    job_id = getattr(record, "job_id", None) or _JOB_ID.get()
    return {
        "code": getattr(record, "code", None),
        "job_id": job_id,
        "stage": getattr(record, "stage", None) or _STAGE.get(),
        "trace_id": _TRACE_ID.get() or job_id,
    }


def _text(record: logging.LogRecord) -> str:
    """Return the message; of a library that may quote a data set, only that it spoke."""
    if record.name.startswith(_QUOTING):
        return "(text withheld: it may quote a data set)"
    return record.getMessage()


def places(trace: TracebackType | None) -> list[str]:
    """Return where an error arose, innermost last: "file:line function", without any value."""
    rows = traceback.extract_tb(trace)
    return [f"{row.filename.rsplit('/', 2)[-1]}:{row.lineno} {row.name}" for row in rows]
