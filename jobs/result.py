"""What a job made, and where it was sent."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True)
class ResultFile:
    """One file that a job made: built once, then only ever these bytes."""

    kind: str  # "seg", "sr", "measurements", "lesions", ...
    name: str  # unique within the job; the name of a download
    media_type: str
    path: str  # where the bytes lie
    sha256: str  # hexadecimal
    sop_class_uid: str | None = None  # the three UIDs are set for DICOM objects only
    sop_instance_uid: str | None = None
    series_uid: str | None = None


class DeliveryStatus(StrEnum):
    """How far one object is on its way to one destination."""

    PENDING = "pending"  # to be sent (again)
    SENT = "sent"  # the destination said that it has it
    STORED = "stored"  # storage commitment or a query proved it
    FAILED = "failed"  # refused for good


@dataclass(frozen=True)
class Delivery:
    """One object on its way to one destination."""

    sop_instance_uid: str
    name: str  # of the result file
    destination: str
    status: DeliveryStatus
    attempts: int  # times it was tried
    last_status: int | None  # the DIMSE status of the last try
    updated_at: datetime  # UTC
