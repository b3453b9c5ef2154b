"""How long certificates of ours are still good."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from prometheus_client import Gauge

from dicom_node.certificates import UnusableCertificate, valid_until

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from prometheus_client import CollectorRegistry


def add_certificates(registry: CollectorRegistry, certificates: Mapping[str, Path | None]) -> None:
    """Add the seconds that are left of each, by whose it is; +Inf where there is no TLS."""
    gauge = Gauge(
        "osteon_certificate_left_seconds",
        "Seconds until a certificate of ours ends; +Inf without TLS, 0 if it cannot be read.",
        ["whose"],
        registry=registry,
    )
    for whose, path in certificates.items():
        gauge.labels(whose).set_function(partial(_left_s, path))


def _left_s(path: Path | None) -> float:
    if path is None:
        return math.inf
    try:
        return (valid_until(path) - datetime.now(UTC)).total_seconds()
    except UnusableCertificate:
        return 0.0
