"""Settings of webhooks become the allow-list and the sender."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.webhooks.post import Post
from service.webhooks.recipients import Recipients
from service.webhooks.sender import Sender
from service.webhooks.signing import signer

if TYPE_CHECKING:
    from jobs.store import JobStore
    from service.settings import Settings


def recipients_of(settings: Settings) -> Recipients:
    """Return who may be told of events."""
    told = settings.webhooks
    return Recipients(told.hosts, told.networks, told.allow_http)


def sender_of(settings: Settings, store: JobStore) -> Sender | None:
    """Return what tells webhooks; None where nobody may be told.

    Raises:
        SettingsError: the key of their secrets cannot be read or made.

    """
    told, signs = settings.webhooks, signer(settings)
    if signs is None:
        return None
    return Sender(
        store,
        signs,
        recipients_of(settings),
        Post(told.timeout_s, told.ca_file),
        give_up_after_s=told.give_up_after_h * 3600.0,
        keep_s=told.keep_days * 86400.0,
    )
