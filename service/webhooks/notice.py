"""What a webhook is told: a CloudEvent (1.0, JSON) without anything of a patient or an image.

It names the job; who may know more asks the REST interface. The bytes of one message are the same
at every try.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jobs.job import JobEvent
    from jobs.webhook import WebhookMessage

MEDIA_TYPE = "application/cloudevents+json"


def name_of(message: WebhookMessage) -> str:
    """Return the id of what is told: equal for every webhook and every try."""
    return f"test-{message.id}" if message.event_id is None else f"event-{message.event_id}"


def notice(message: WebhookMessage, event: JobEvent | None, source: str) -> bytes:
    """Return the body of a message."""
    told: dict[str, Any] = {
        "specversion": "1.0",
        "id": name_of(message),
        "source": source,
        "time": message.created_at.isoformat(),
        "type": "org.osteon.test",
        "datacontenttype": "application/json",
        "data": {},
    }
    if event is not None:
        told |= {
            "time": event.at.isoformat(),
            "type": f"org.osteon.job.{event.kind}",
            "subject": event.job_id,
            "data": _data(event),
        }
    return json.dumps(told, separators=(",", ":"), sort_keys=True).encode()


def _data(event: JobEvent) -> dict[str, Any]:
    code = event.data.get("code")
    return {
        "job_id": event.job_id,
        "kind": str(event.kind),
        "stage": None if event.stage is None else str(event.stage),
        "code": code if isinstance(code, str) else None,
        "href": f"/api/v1/jobs/{event.job_id}",
    }
