"""What arrived: studies and their instances. UIDs, counts and digests; no names."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime


@dataclass(frozen=True)
class Instance:
    """One accepted DICOM instance as it lies in the spool."""

    sop_instance_uid: str
    study_uid: str
    series_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str
    sha256: str  # hexadecimal, of the bytes in the spool
    size: int  # bytes
    path: str  # relative to the spool's root
    received_at: datetime  # UTC, aware


@dataclass(frozen=True)
class Study:
    """What is known of a study without opening a file."""

    uid: str  # Study Instance UID
    revision: int  # of the last closing; 0 while it was never closed
    n_instances: int
    n_series: int
    first_received_at: datetime  # UTC
    last_received_at: datetime  # UTC
    closed_at: datetime | None  # UTC, of the last closing


def input_digest(instances: Iterable[Instance]) -> str:
    """Return one SHA-256 (hexadecimal) over UIDs and contents, whatever the order of arrival."""
    lines = sorted(f"{i.sop_instance_uid} {i.sha256}\n" for i in instances)
    return hashlib.sha256("".join(lines).encode()).hexdigest()
