"""What the door tells while it works: for metrics and traces, never for what it answers.

Counts, sizes, seconds, codes and statuses of ours: nothing that a peer chose or a data set holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    from dicom_node.completion import Cause
    from dicom_node.spool import Outcome


@dataclass(frozen=True)
class AssociationAccepted:
    """A peer was let in."""


@dataclass(frozen=True)
class AssociationRejected:
    """A peer was turned away; `reason` is a label of `dicom_node.rejection`."""

    reason: str


class Ending(StrEnum):
    """Why a connection ended otherwise than by a release."""

    PEER = "peer"
    """The peer aborted or closed, or the way to it broke."""
    IDLE = "idle"
    """It said nothing for too long."""
    SLOW = "slow"
    """A request, a PDU, a message or the reading of an answer took too long."""
    LENGTH = "length"
    """A PDU or a data set that is longer than any we take."""
    MALFORMED = "malformed"
    """Bytes that the protocol does not have."""
    UNEXPECTED = "unexpected"
    """A PDU that may not come now."""
    CROWDED = "crowded"
    """Too many connections without an association: the oldest had to go."""
    STOPPED = "stopped"
    """We stop."""


@dataclass(frozen=True)
class ConnectionEnded:
    """A connection ended otherwise than by a release or a rejection."""

    ending: Ending
    associated: bool
    """Whether there was an association."""


@dataclass(frozen=True)
class InstanceStored:
    """An instance is durable and was answered so."""

    outcome: Outcome
    size_bytes: int
    seconds: float
    """From the last byte to the answer."""
    synced_s: float
    """Of these, the time that the file system took for fsync."""


@dataclass(frozen=True)
class InstanceRefused:
    """An instance was not taken."""

    code: str
    status: int
    """What was answered, PS3.4 Table B.2-1."""


@dataclass(frozen=True)
class StudyClosed:
    """A study became a job."""

    job_id: str
    waited_s: float
    """From its first instance, as far as this process knows."""
    images: int
    cause: Cause


NodeVital: TypeAlias = (
    AssociationAccepted
    | AssociationRejected
    | ConnectionEnded
    | InstanceStored
    | InstanceRefused
    | StudyClosed
)
Listener: TypeAlias = "Callable[[NodeVital], None]"
"""Is told from several threads; it raises nothing and is quick."""


def nobody(_vital: NodeVital) -> None:
    """Listen to nothing."""
