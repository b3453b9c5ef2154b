"""What goes over the wire of webhooks."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from jobs.job import EventKind
from jobs.webhook import ANNOUNCED, Webhook, WebhookMessage
from service.api.study_schemas import Text


class Kind(StrEnum):
    """What a webhook may be told of."""

    OPENED = EventKind.OPENED
    DELIVERED = EventKind.DELIVERED
    REJECTED = EventKind.REJECTED
    FAILED = EventKind.FAILED
    HELD = EventKind.HELD
    REQUEUED = EventKind.REQUEUED
    SEND_AGAIN = EventKind.SEND_AGAIN


def _once(kinds: list[Kind]) -> list[Kind]:
    return sorted(set(kinds), key=list(Kind).index)


Url = Annotated[str, Field(min_length=1, max_length=1000, description="https://host/path")]
Kinds = Annotated[list[Kind], Field(min_length=1, max_length=len(ANNOUNCED)), AfterValidator(_once)]
Description = Annotated[Text, Field(max_length=200, description="for people")]


class WebhookIn(BaseModel):
    """A new webhook."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "url": "https://ris.example/osteon",
                    "kinds": ["delivered", "failed"],
                    "description": "radiology information system",
                }
            ]
        },
    )

    url: Url
    kinds: Kinds
    description: Description = ""


class WebhookChange(BaseModel):
    """What is to be another; the rest stays."""

    model_config = ConfigDict(extra="forbid")

    url: Url | None = None
    kinds: Kinds | None = None
    description: Description | None = None
    active: bool | None = None

    def changes(self) -> dict[str, Any]:
        """Return what was given."""
        return self.model_dump(mode="json", exclude_none=True)


class WebhookOut(BaseModel):
    """A webhook, without its secret."""

    id: str
    url: str
    kinds: list[Kind]
    description: str
    active: bool
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, webhook: Webhook) -> Self:
        """Copy the domain's value."""
        return cls(
            id=webhook.id,
            url=webhook.url,
            kinds=[Kind(kind) for kind in webhook.kinds],
            description=webhook.description,
            active=webhook.active,
            created_at=webhook.created_at,
            updated_at=webhook.updated_at,
        )


class WebhookMade(WebhookOut):
    """A new webhook with its secret, which is shown this once."""

    secret: str | None
    """Null where the answer is repeated: ask for a new secret then."""


class SecretOut(BaseModel):
    """A new secret, which is shown this once; what is sent from now on is signed by it."""

    secret: str


class WebhookList(BaseModel):
    """All webhooks, the oldest first."""

    items: list[WebhookOut]


class MessageOut(BaseModel):
    """One event on its way to one webhook."""

    id: int
    event_id: int | None
    """Null: a test."""
    state: str
    attempts: int
    created_at: datetime
    due_at: datetime
    last_status: int | None
    last_code: str | None
    ended_at: datetime | None

    @classmethod
    def of(cls, message: WebhookMessage) -> Self:
        """Copy the domain's value."""
        found = {name: getattr(message, name) for name in cls.model_fields}
        return cls(**found | {"state": str(message.state)})


class MessagePage(BaseModel):
    """Part of the log of a webhook."""

    items: list[MessageOut]
    next: str | None
    """What `cursor` is for the next page; null at the end."""
