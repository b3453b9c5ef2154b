"""Who is told what happens to jobs, and what became of each message."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from jobs.job import EventKind

if TYPE_CHECKING:
    from datetime import datetime

    from jobs.job import JobEvent

ANNOUNCED = (
    EventKind.OPENED,
    EventKind.DELIVERED,
    EventKind.REJECTED,
    EventKind.FAILED,
    EventKind.HELD,
    EventKind.REQUEUED,
    EventKind.SEND_AGAIN,
)
"""What a webhook may ask for: changes of a job's state, not its progress."""


@dataclass(frozen=True)
class Webhook:
    """An address that is told of events."""

    id: str  # 32 hexadecimal digits
    url: str
    kinds: tuple[EventKind, ...]
    description: str
    active: bool  # while it is not, nothing is written for it and nothing sent
    generation: int  # of its secret: 1, and one more each time that it is renewed
    created_at: datetime  # UTC
    updated_at: datetime  # UTC


class MessageState(StrEnum):
    """How far a message is."""

    PENDING = "pending"  # to be sent (again)
    SENT = "sent"  # answered with 2xx
    GIVEN_UP = "given_up"  # tried for as long as the settings say


@dataclass(frozen=True)
class WebhookMessage:
    """One event on its way to one webhook."""

    id: int
    webhook_id: str
    event_id: int | None  # None: a test that a person asked for
    state: MessageState
    attempts: int
    created_at: datetime  # UTC
    due_at: datetime  # UTC, of the next try
    last_status: int | None  # of HTTP, of the last try
    last_code: str | None  # why the last try failed
    ended_at: datetime | None  # UTC, when it was sent or given up


@dataclass(frozen=True)
class Dispatch:
    """A message that is the caller's for a while, with all that it is made of."""

    message: WebhookMessage
    fence: int  # grows with every try; what is noted later carries it
    webhook: Webhook
    event: JobEvent | None
