"""Traces by OpenTelemetry: one trace a job, one span a stage, sent by OTLP over HTTP.

The trace's id is the job's id: both are 32 random hexadecimal digits. So every process knows the
trace without being told, it survives retries, and a log line with a job id names its trace. The
root is the reception of the study, with an id that follows from the job's; every attempt is a
span below it, every stage below that. A job's child has no part in this: the worker makes the
spans of what the child tells (`workers.vitals`), also of a stage in which it was killed.
"""

from __future__ import annotations

import hashlib
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from dicom_node.vitals import StudyClosed
from workers.vitals import (
    JobClaimed,
    JobLeft,
    ModelAsked,
    ObjectsSent,
    SlabAsked,
    StageBegun,
    StageDone,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.context import Context
    from opentelemetry.trace import Span
    from opentelemetry.util.types import AttributeValue

    from dicom_node.vitals import NodeVital
    from workers.vitals import WorkerVital

_WELL = frozenset({"delivered", "handed_back"})


class _GivenIds(RandomIdGenerator):
    """Random ids, except where the caller of this thread gave one for the next span."""

    def __init__(self) -> None:
        self.given = threading.local()

    def generate_span_id(self) -> int:
        span_id: str | None = self.given.__dict__.pop("span_id", None)
        return super().generate_span_id() if span_id is None else int(span_id, 16)

    def generate_trace_id(self) -> int:
        trace_id: str | None = self.given.__dict__.pop("trace_id", None)
        return super().generate_trace_id() if trace_id is None else int(trace_id, 16)


@dataclass
class _Attempt:
    """The open spans of one attempt at a job."""

    span: Span
    stage: Span | None = None
    stage_name: str = ""

    @property
    def inner(self) -> Span:
        return self.stage or self.span


@dataclass
class Traces:
    """Makes the spans of one process; `node` and `worker` are listeners."""

    endpoint: str
    """Address that takes POST of OTLP, as http://127.0.0.1:4318/v1/traces."""
    process: str
    version: str
    _attempts: dict[str, _Attempt] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Send from a thread, in groups; a receiver that is away costs spans and nothing else."""
        self._ids = _GivenIds()
        attributes = {"service.name": f"osteon-{self.process}", "service.version": self.version}
        self._provider = TracerProvider(
            resource=Resource(attributes), id_generator=self._ids, shutdown_on_exit=False
        )
        exporter = OTLPSpanExporter(endpoint=self.endpoint, timeout=5)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("osteon")

    def close(self) -> None:
        """Send what waits."""
        self._provider.shutdown()

    def node(self, vital: NodeVital) -> None:
        """Make the root of a job's trace once its study is closed."""
        if not isinstance(vital, StudyClosed):
            return
        self._ids.given.trace_id, self._ids.given.span_id = vital.job_id, root_id(vital.job_id)
        now_s = time.time()
        told: dict[str, AttributeValue] = {
            "osteon.images": vital.images,
            "osteon.cause": vital.cause.name.lower(),
        }
        span = self._start("receive", None, now_s - vital.waited_s, SpanKind.SERVER, told)
        _end(span, now_s)

    def worker(self, job_id: str, vital: WorkerVital) -> None:
        """Make the spans of an attempt as it goes on."""
        if isinstance(vital, JobClaimed):
            self._attempts[job_id] = _Attempt(self._claimed(job_id, vital))
            return
        attempt = self._attempts.get(job_id)
        if attempt is None:
            return
        match vital:
            case StageBegun():
                attempt.stage_name = vital.stage
                attempt.stage = self._start(vital.stage, attempt.span, vital.at_s)
            case StageDone() if attempt.stage is not None:
                _end(attempt.stage, vital.at_s)
                attempt.stage = None
            case JobLeft():
                self._left(job_id, attempt, vital)
            case ModelAsked() | SlabAsked() | ObjectsSent():
                self._asked(attempt, vital)

    def _claimed(self, job_id: str, vital: JobClaimed) -> Span:
        root = SpanContext(
            int(job_id, 16), int(root_id(job_id), 16), True, TraceFlags(TraceFlags.SAMPLED)
        )
        told: dict[str, AttributeValue] = {
            "osteon.job_id": job_id,
            "osteon.attempt": vital.attempt,
        }
        parent = trace.NonRecordingSpan(root)
        return self._start("attempt", parent, vital.at_s, SpanKind.CONSUMER, told)

    def _left(self, job_id: str, attempt: _Attempt, vital: JobLeft) -> None:
        """End what is open; a stage that is still open is where it failed."""
        del self._attempts[job_id]
        if attempt.stage is not None:
            _end(attempt.stage, vital.at_s, vital.code or vital.outcome)
        attempt.span.set_attribute("osteon.outcome", vital.outcome)
        _end(
            attempt.span, vital.at_s, "" if vital.outcome in _WELL else vital.code or vital.outcome
        )

    def _asked(self, attempt: _Attempt, vital: ModelAsked | SlabAsked | ObjectsSent) -> None:
        now_s = time.time()
        match vital:
            case SlabAsked():
                self._ids.given.span_id = vital.span_id
                name, began_at_s = "request model server", vital.began_at_s
                told: dict[str, AttributeValue] = {"osteon.model": vital.model}
                now_s, code = vital.began_at_s + vital.seconds, vital.code
            case ModelAsked():
                name, began_at_s, code = "model", now_s - vital.seconds, vital.code
                told = {"osteon.model": vital.model, "osteon.backend": vital.backend}
            case ObjectsSent():
                name, began_at_s = "send", now_s - vital.seconds
                code = "" if vital.taken else "NOT_SENT"
                told = {"osteon.destination": vital.destination, "osteon.taken": vital.taken}
        span = self._start(name, attempt.inner, began_at_s, SpanKind.CLIENT, told)
        _end(span, now_s, code)

    def _start(
        self,
        name: str,
        parent: Span | None,
        at_s: float,
        kind: SpanKind = SpanKind.INTERNAL,
        told: Mapping[str, AttributeValue] | None = None,
    ) -> Span:
        context: Context = trace.set_span_in_context(parent or trace.INVALID_SPAN)
        given: dict[str, Any] = {"attributes": told, "start_time": _nanoseconds(at_s)}
        return self._tracer.start_span(name, context, kind, **given)


def root_id(job_id: str) -> str:
    """Return the span id (16 hexadecimal digits) of the reception of a job's study."""
    return hashlib.sha256(f"osteon receive {job_id}".encode()).hexdigest()[:16]


def _end(span: Span, at_s: float, code: str = "") -> None:
    """End a span; of an error only the code is told, its text may quote a data set."""
    if code:
        span.set_attribute("osteon.code", code)
        span.set_status(Status(StatusCode.ERROR, code))
    span.end(_nanoseconds(at_s))


def _nanoseconds(at_s: float) -> int:
    return int(at_s * 1e9)
