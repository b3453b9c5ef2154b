"""What a worker and its jobs tell, counted."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from prometheus_client import Counter, Gauge, Histogram

from workers.vitals import (
    JobClaimed,
    JobLeft,
    Measured,
    ModelAsked,
    ObjectsSent,
    ServerBack,
    ServerFailed,
    SlabAsked,
    StageDone,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prometheus_client import CollectorRegistry

    from workers.vitals import WorkerVital

_JOB_S = (5.0, 15.0, 30.0, 60.0, 120.0, 180.0, 300.0, 600.0, 900.0, 1800.0)
_STAGE_S = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
_REQUEST_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
_TDV_ML = (0.0, 1.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0)
_GADC_UM2_S = tuple(float(value) for value in range(400, 2001, 100))
_NAME = "osteon_worker_"
SENT = ("taken", "waiting", "refused")
OUTCOMES = (
    "delivered",
    "rejected",
    "failed",
    "held",
    "retried",
    "handed_back",
    "lost",
    "unknown",
)


class WorkerMetrics:
    """A `workers.vitals.Listener`; several jobs may tell at once."""

    def __init__(self, registry: CollectorRegistry, destinations: Sequence[str] = ()) -> None:
        """Start every count at zero, so that the first of a kind is an increase."""
        self._work = _Work(registry)
        self._models = _Models(registry)
        self._results = _Results(registry, destinations)

    def __call__(self, job_id: str, vital: WorkerVital) -> None:
        """Count one vital."""
        self._work.count(job_id, vital)
        self._models.count(job_id, vital)
        self._results.count(vital)


class _Work:
    """Attempts and stages."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._attempts = Counter(f"{_NAME}attempts_total", "Jobs taken.", registry=registry)
        self._left = Counter(
            f"{_NAME}jobs_total", "Attempts that ended, by outcome.", ["outcome"], registry=registry
        )
        self._codes = Counter(
            f"{_NAME}failures_total",
            "Attempts that did not deliver, by outcome and failure code.",
            ["outcome", "code"],
            registry=registry,
        )
        self._lost = Counter(
            f"{_NAME}leases_lost_total", "Jobs that another worker took over.", registry=registry
        )
        self._running = Gauge(f"{_NAME}jobs_running", "Jobs that run here now.", registry=registry)
        self._job_s = Histogram(
            f"{_NAME}job_duration_seconds",
            "Seconds of an attempt, by outcome.",
            ["outcome"],
            buckets=_JOB_S,
            registry=registry,
        )
        self._stage_s = Histogram(
            f"{_NAME}stage_duration_seconds",
            "Seconds in a stage that was finished.",
            ["stage"],
            buckets=_STAGE_S,
            registry=registry,
        )
        self._since: dict[str, float] = {}
        for outcome in OUTCOMES:
            self._left.labels(outcome)
        for outcome in ("retried", "failed"):
            for code in ("WORKER_CRASHED", "WORKER_DIED"):
                self._codes.labels(outcome, code)

    def count(self, job_id: str, vital: WorkerVital) -> None:
        match vital:
            case JobClaimed():
                self._attempts.inc()
                self._running.inc()
                self._since[job_id] = vital.at_s
            case JobLeft():
                self._running.dec()
                self._left.labels(vital.outcome).inc()
                if vital.code:
                    self._codes.labels(vital.outcome, vital.code).inc()
                seconds = vital.at_s - self._since.pop(job_id, vital.at_s)
                self._job_s.labels(vital.outcome).observe(seconds)
                if vital.outcome == "lost":
                    self._lost.inc()
            case StageDone():
                self._stage_s.labels(vital.stage).observe(vital.seconds)


class _Models:
    """Answers of models, and how the model server is."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._asked_s = Histogram(
            f"{_NAME}inference_duration_seconds",
            "Seconds in which a model answered for a whole body.",
            ["model", "version", "backend"],
            buckets=_STAGE_S,
            registry=registry,
        )
        self._failed = Counter(
            f"{_NAME}inference_failures_total",
            "Bodies that a model did not answer for, by code.",
            ["model", "code"],
            registry=registry,
        )
        self._request_s = Histogram(
            f"{_NAME}model_request_duration_seconds",
            "Seconds of one request to the model server that was answered.",
            ["model"],
            buckets=_REQUEST_S,
            registry=registry,
        )
        self._away = Counter(
            f"{_NAME}model_server_failures_total",
            "Requests to the model server that failed and were or will be made again.",
            registry=registry,
        )
        text = "Jobs here that leave the model server in peace because it failed too often."
        open_now = Gauge(f"{_NAME}model_server_breaker_open", text, registry=registry)
        open_now.set_function(lambda: len(self._open))
        self._open: set[str] = set()
        self._lock = threading.Lock()

    def count(self, job_id: str, vital: WorkerVital) -> None:
        match vital:
            case ModelAsked(code=""):
                labels = (vital.model, vital.version, vital.backend)
                self._asked_s.labels(*labels).observe(vital.seconds)
            case ModelAsked():
                self._failed.labels(vital.model, vital.code).inc()
            case SlabAsked(code=""):
                self._request_s.labels(vital.model).observe(vital.seconds)
            case ServerFailed():
                self._away.inc()
                self._set_open(job_id, vital.breaker_open)
            case ServerBack() | JobLeft():
                self._set_open(job_id, False)

    def _set_open(self, job_id: str, is_open: bool) -> None:
        with self._lock:
            (self._open.add if is_open else self._open.discard)(job_id)


class _Results:
    """What was sent, and the drift of what was measured: no label, so no study stands out."""

    def __init__(self, registry: CollectorRegistry, destinations: Sequence[str]) -> None:
        self._sent = Counter(
            f"{_NAME}objects_sent_total",
            "Result objects by destination and what became of them.",
            ["destination", "outcome"],
            registry=registry,
        )
        self._send_s = Histogram(
            f"{_NAME}send_duration_seconds",
            "Seconds in which a job's results went to a destination.",
            ["destination"],
            buckets=_REQUEST_S,
            registry=registry,
        )
        self._notes = Counter(
            "osteon_quality_notes_total", "Quality notes by code.", ["code"], registry=registry
        )
        self._tdv_ml = Histogram(
            "osteon_result_tdv_milliliters",
            "Total diffusion volume of measured studies.",
            buckets=_TDV_ML,
            registry=registry,
        )
        self._gadc = Histogram(
            "osteon_result_gadc_um2_per_s",
            "Global ADC of measured studies, in square micrometres a second.",
            buckets=_GADC_UM2_S,
            registry=registry,
        )

        for destination in destinations:
            for outcome in SENT:
                self._sent.labels(destination, outcome)

    def count(self, vital: WorkerVital) -> None:
        match vital:
            case ObjectsSent():
                for outcome in SENT:
                    n = getattr(vital, outcome)
                    self._sent.labels(vital.destination, outcome).inc(n)
                self._send_s.labels(vital.destination).observe(vital.seconds)
            case Measured():
                self._tdv_ml.observe(vital.tdv_ml)
                if vital.gadc_um2_s is not None:
                    self._gadc.observe(vital.gadc_um2_s)
                for code in vital.notes:
                    self._notes.labels(code).inc()
