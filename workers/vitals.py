"""What a worker and its job tell while they work: for metrics and traces, never for a job's fate.

A job runs in a child process. It writes each vital as a line on its standard output; the worker
reads them and tells whoever listens. So a child that is killed loses nothing that it had told,
and only the worker needs the libraries of metrics and traces. Vitals hold seconds, counts and
names of ours: no UID and nothing out of a data set.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import threading
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class JobClaimed:
    """An attempt at a job began; times are seconds since 1970 (UTC)."""

    attempt: int
    at_s: float


@dataclass(frozen=True)
class JobLeft:
    """The attempt ended."""

    outcome: str
    """The job's state, or "retried", "handed_back", "lost" (to another worker), "unknown"."""
    code: str
    """Of the failure; empty where there is none."""
    at_s: float


@dataclass(frozen=True)
class StageBegun:
    """The job entered a stage."""

    stage: str
    at_s: float


@dataclass(frozen=True)
class StageDone:
    """The job left a stage without an error."""

    stage: str
    seconds: float
    at_s: float


@dataclass(frozen=True)
class ModelAsked:
    """A model answered for a whole body, or failed to."""

    model: str
    version: str
    backend: str
    """ "embedded" or "triton"."""
    seconds: float
    code: str
    """Of the error; empty for an answer."""


@dataclass(frozen=True)
class SlabAsked:
    """A model server answered one request, or failed to."""

    model: str
    span_id: str
    """16 hexadecimal digits; the server heard it in `traceparent`."""
    began_at_s: float
    seconds: float
    code: str


@dataclass(frozen=True)
class ServerFailed:
    """A request to the model server failed and may be made again."""

    breaker_open: bool
    """It failed so often in a row that it is left in peace for a while."""


@dataclass(frozen=True)
class ServerBack:
    """The model server answers again."""


@dataclass(frozen=True)
class ObjectsSent:
    """Results went to a destination; counts of objects."""

    destination: str
    """Its name in the settings."""
    taken: int
    waiting: int
    refused: int
    seconds: float


@dataclass(frozen=True)
class Measured:
    """What was measured, for the drift of all studies together."""

    tdv_ml: float
    gadc_um2_s: float | None
    notes: tuple[str, ...]
    """Codes of the quality notes."""


RunVital: TypeAlias = (
    StageBegun
    | StageDone
    | ModelAsked
    | SlabAsked
    | ServerFailed
    | ServerBack
    | ObjectsSent
    | Measured
)
WorkerVital: TypeAlias = JobClaimed | JobLeft | RunVital
Tell: TypeAlias = "Callable[[RunVital], None]"
Listener: TypeAlias = "Callable[[str, WorkerVital], None]"
"""Gets a job's id and what was told of it, from several threads; raises nothing and is quick."""

_KINDS: dict[str, Callable[..., RunVital]] = {
    kind.__name__: kind
    for kind in (
        StageBegun,
        StageDone,
        ModelAsked,
        SlabAsked,
        ServerFailed,
        ServerBack,
        ObjectsSent,
        Measured,
    )
}


def silence(_vital: RunVital) -> None:
    """Tell nobody."""


def nobody(_job_id: str, _vital: WorkerVital) -> None:
    """Listen to nothing."""


def to_parent(vital: RunVital) -> None:
    """Write one line on standard output; a worker that is gone is not waited for."""
    line = json.dumps({"vital": type(vital).__name__} | dataclasses.asdict(vital)) + "\n"
    with suppress(OSError):
        os.write(sys.__stdout__.fileno() if sys.__stdout__ else 1, line.encode())


def read_vital(line: str) -> RunVital | None:
    """Return what `to_parent` wrote; None for anything else that a library may have printed."""
    try:
        fields: dict[str, Any] = json.loads(line)
        kind = _KINDS[fields.pop("vital")]
        given = {k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()}
        return kind(**given)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def relay(lines: IO[str] | None, tell: Tell) -> threading.Thread:
    """Read a child's standard output in a thread until it ends; tell what it told."""

    def read() -> None:
        with lines or nullcontext():
            for line in lines or ():
                vital = read_vital(line)
                if vital is not None:
                    tell(vital)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    return thread


@dataclass(frozen=True)
class Telling:
    """Whom a run tells, and the trace that its requests to others belong to."""

    tell: Tell = silence
    trace_id: str | None = None
    """32 hexadecimal digits, the job's id; None where nobody keeps traces."""

    def headers(self, span_id: str) -> dict[str, str]:
        """Return what a request carries so that the server's trace joins ours (W3C)."""
        if self.trace_id is None:
            return {}
        return {"traceparent": f"00-{self.trace_id}-{span_id}-01"}
