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
    """How far one object is on its way to one destination; one that has no way yet is built."""

    QUEUED = "queued"  # to be sent (again)
    SENT = "sent"  # the destination said that it took it; its proof is awaited
    COMMITTED = "committed"  # proven by storage commitment
    FOUND = "found"  # proven by a query
    SENT_ONLY = "sent_only"  # taken, and the destination offers no proof or none is wanted
    REFUSED = "refused"  # a person has to look


ON_ITS_WAY = frozenset({DeliveryStatus.QUEUED, DeliveryStatus.SENT})
"""Something is still to be done for such an object."""
PROVEN = frozenset({DeliveryStatus.COMMITTED, DeliveryStatus.FOUND, DeliveryStatus.SENT_ONLY})
"""The destination has it, as well as can be known of this destination."""


@dataclass(frozen=True)
class Delivery:
    """One object on its way to one destination."""

    sop_instance_uid: str
    name: str  # of the result file
    destination: str
    status: DeliveryStatus
    attempts: int  # times it was tried
    last_status: int | None  # the DIMSE or HTTP status of the last try
    updated_at: datetime  # UTC
    code: str | None = None  # why it waits or was refused
    queued_at: datetime | None = None  # since when it is to be sent (UTC)
    sent_at: datetime | None = None  # when the destination said that it took it (UTC)
    next_try_at: datetime | None = None  # not before this moment (UTC)
    lost: int = 0  # times that it was taken and turned out not to be there
    transaction_uid: str | None = None  # of the last request for commitment
