"""kombu's way to Redis, hardened: what is no message ends no worker.

Whoever may write to Redis can put anything into our lists. kombu takes an entry off the list before
it reads it, and an entry that it cannot read ends the worker (kombu 5.7, `Channel._brpop_read`).
"""

from __future__ import annotations

import logging
from queue import Empty
from typing import Any

from kombu.transport import redis

_LOG = logging.getLogger(__name__)
CODE = "RING_UNREADABLE"
# What kombu raises for text that is not JSON, and for JSON that is not a message of its own.
# Errors of the connection are none of these and pass.
_NO_MESSAGE = (ValueError, LookupError, TypeError, AttributeError)


class Channel(redis.Channel):
    """Drops entries that are no messages, and says so; the job table holds what matters."""

    def _brpop_read(self, **options: Any) -> Any:  # noqa: ANN401 - kombu's
        """Hand the next entry on; one that cannot be read counts as none."""
        try:
            return super()._brpop_read(**options)  # type: ignore[no-untyped-call]
        except _NO_MESSAGE as error:
            text = "an entry in Redis is no ring and was dropped (%s): %s"
            _LOG.error(text, type(error).__name__, CODE, extra={"code": CODE})
            raise Empty from error


class Transport(redis.Transport):
    """Celery's `broker_transport`: Redis with this channel."""

    Channel = Channel
