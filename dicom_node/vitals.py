"""What the door tells while it works: for metrics and traces, never for what it answers.

Counts, sizes, seconds, codes and statuses of ours: nothing that a peer chose or a data set holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from pynetdicom import evt

if TYPE_CHECKING:
    from collections.abc import Callable

    from pynetdicom.events import Event, EventHandlerType

    from dicom_node.completion import Cause
    from dicom_node.spool import Outcome

# Source and reason of a rejection (PS3.8 Table 9-21); what pynetdicom answers by itself.
_REASONS = {
    (1, 3): "calling_ae_title",
    (1, 7): "called_ae_title",
    (3, 2): "too_many",
}
OTHER_REASON = "other"


@dataclass(frozen=True)
class AssociationAccepted:
    """A peer was let in."""


@dataclass(frozen=True)
class AssociationRejected:
    """A peer was turned away: "calling_ae_title", "called_ae_title", "too_many" or "other"."""

    reason: str


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
    AssociationAccepted | AssociationRejected | InstanceStored | InstanceRefused | StudyClosed
)
Listener: TypeAlias = "Callable[[NodeVital], None]"
"""Is told from several threads; it raises nothing and is quick."""


def nobody(_vital: NodeVital) -> None:
    """Listen to nothing."""


def association_handlers(listener: Listener) -> list[EventHandlerType]:
    """Return what pynetdicom has to call so that `listener` hears of associations."""
    return [
        (evt.EVT_ACCEPTED, _accepted, [listener]),
        (evt.EVT_REJECTED, _rejected, [listener]),
    ]


def _accepted(_event: Event, listener: Listener) -> None:
    listener(AssociationAccepted())


def _rejected(event: Event, listener: Listener) -> None:
    answer = event.assoc.acceptor.primitive
    given = (0, 0) if answer is None else (answer.result_source or 0, answer.diagnostic or 0)
    listener(AssociationRejected(_REASONS.get(given, OTHER_REASON)))
