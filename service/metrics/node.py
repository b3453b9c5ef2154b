"""What the DICOM door tells, counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import Counter, Gauge, Histogram

from dicom_node.completion import Cause
from dicom_node.rejection import REFUSALS as REFUSED
from dicom_node.rejection import AssociationRefused
from dicom_node.spool import Outcome
from dicom_node.vitals import (
    AssociationAccepted,
    AssociationRejected,
    ConnectionEnded,
    Ending,
    InstanceRefused,
    InstanceStored,
    StudyClosed,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from prometheus_client import CollectorRegistry

    from dicom_node.node import Node
    from dicom_node.vitals import NodeVital

_NAME = "osteon_node_"
_OBJECT_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_STUDY_S = (5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0)
REASONS = (*(refusal.label for refusal in REFUSED), AssociationRefused.label)
REFUSALS = (
    ("SPOOL_FULL", "0xA700"),
    ("SPOOL_UNWRITABLE", "0xA700"),
    ("QUOTA_EXCEEDED", "0xA700"),
    ("HEADER_MISMATCH", "0xA900"),
    ("INVALID_UID", "0xC000"),
    ("UNREADABLE_HEADER", "0xC000"),
)


class NodeMetrics:
    """A `dicom_node.vitals.Listener`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Start every count at zero, so that the first of a kind is an increase."""
        self._peers = _Peers(registry)
        self._instances = _Instances(registry)
        self._studies = _Studies(registry)

    def __call__(self, vital: NodeVital) -> None:
        """Count one vital."""
        self._peers.count(vital)
        self._instances.count(vital)
        self._studies.count(vital)


class _Peers:
    """Associations."""

    def __init__(self, registry: CollectorRegistry) -> None:
        name = f"{_NAME}associations_accepted_total"
        self._accepted = Counter(name, "Peers let in.", registry=registry)
        self._rejected = Counter(
            f"{_NAME}associations_rejected_total",
            "Peers turned away, by reason.",
            ["reason"],
            registry=registry,
        )
        self._ended = Counter(
            f"{_NAME}connections_ended_total",
            "Connections that ended without release or rejection, with or without an association.",
            ["ending", "association"],
            registry=registry,
        )
        for reason in REASONS:
            self._rejected.labels(reason)
        for ending in Ending:
            for association in ("yes", "no"):
                self._ended.labels(str(ending), association)

    def count(self, vital: NodeVital) -> None:
        match vital:
            case AssociationAccepted():
                self._accepted.inc()
            case AssociationRejected():
                self._rejected.labels(vital.reason).inc()
            case ConnectionEnded():
                association = "yes" if vital.associated else "no"
                self._ended.labels(str(vital.ending), association).inc()


class _Instances:
    """C-STORE."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._received = Counter(
            f"{_NAME}instances_received_total",
            "Instances that were answered as stored, by what they were.",
            ["outcome"],
            registry=registry,
        )
        self._refused = Counter(
            f"{_NAME}instances_refused_total",
            "Instances that were not taken, by code and DIMSE status.",
            ["code", "status"],
            registry=registry,
        )
        name = f"{_NAME}received_bytes_total"
        self._bytes = Counter(name, "Bytes of data sets received.", registry=registry)
        self._stored = Histogram(
            f"{_NAME}store_duration_seconds",
            "Seconds from an instance's last byte to its answer.",
            buckets=_OBJECT_S,
            registry=registry,
        )
        self._synced = Histogram(
            f"{_NAME}fsync_duration_seconds",
            "Seconds that the file system took to make an instance durable.",
            buckets=_OBJECT_S,
            registry=registry,
        )
        for outcome in Outcome:
            self._received.labels(str(outcome))
        for code, status in REFUSALS:
            self._refused.labels(code, status)

    def count(self, vital: NodeVital) -> None:
        match vital:
            case InstanceStored():
                self._received.labels(str(vital.outcome)).inc()
                self._bytes.inc(vital.size_bytes)
                self._stored.observe(vital.seconds)
                self._synced.observe(vital.synced_s)
            case InstanceRefused():
                self._refused.labels(vital.code, f"0x{vital.status:04X}").inc()


class _Studies:
    """Studies that became jobs."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._closed = Counter(
            f"{_NAME}studies_closed_total",
            "Studies that became a job, by why they were taken to be whole.",
            ["cause"],
            registry=registry,
        )
        self._waited = Histogram(
            f"{_NAME}study_duration_seconds",
            "Seconds from a study's first instance to its job.",
            buckets=_STUDY_S,
            registry=registry,
        )
        for cause in Cause:
            self._closed.labels(cause.name.lower())

    def count(self, vital: NodeVital) -> None:
        if isinstance(vital, StudyClosed):
            self._closed.labels(vital.cause.name.lower()).inc()
            self._waited.observe(vital.waited_s)


def add_gauges(
    registry: CollectorRegistry, node: Node, free_bytes: Callable[[], float], floor_bytes: float
) -> None:
    """Add what is asked of a node at each scrape."""
    gauges: dict[str, tuple[str, Callable[[], float]]] = {
        "associations_active": ("Peers connected now.", lambda: node.open_associations),
        "studies_open": ("Studies that arrive and are no job yet.", lambda: node.open_studies),
        "instances_unindexed": (
            "Instances that wait for their row in the database.",
            lambda: node.unindexed,
        ),
        "spool_free_bytes": ("Free space of the spool's file system.", free_bytes),
        "spool_floor_bytes": ("With less free space instances are refused.", lambda: floor_bytes),
    }
    for name, (text, ask) in gauges.items():
        Gauge(f"{_NAME}{name}", text, registry=registry).set_function(ask)
