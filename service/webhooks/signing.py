"""Secrets and signatures of webhooks, as the Standard Webhooks specification 1.0 has them.

The store holds no secret: each derives from one key of this installation, the webhook's id and the
number of its renewals. So it can be shown once and still be used (docs/decisions/0022).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from service.secret_file import secret_in

if TYPE_CHECKING:
    from jobs.webhook import Webhook
    from service.settings import Settings

FILE_NAME = ".webhooks.key"
_PREFIX = "whsec_"


@dataclass(frozen=True)
class Signer:
    """Signs what is sent to webhooks."""

    key: bytes = field(repr=False)

    @property
    def source(self) -> str:
        """Return the name of this installation in events: equal for one key, and nothing else."""
        named = hmac.new(self.key, b"source", hashlib.sha256).hexdigest()
        return f"urn:osteon:installation:{named[:16]}"

    def secret(self, webhook: Webhook) -> str:
        """Return what the receiver needs: `whsec_` and 32 bytes in base64."""
        return _PREFIX + base64.b64encode(self._secret(webhook)).decode("ascii")

    def headers(self, webhook: Webhook, name: str, at_s: int, body: bytes) -> dict[str, str]:
        """Return the three headers of a message called `name`, sent at `at_s` (Unix time)."""
        return {
            "webhook-id": name,
            "webhook-timestamp": str(at_s),
            "webhook-signature": signature(self._secret(webhook), name, at_s, body),
        }

    def _secret(self, webhook: Webhook) -> bytes:
        named = f"webhook {webhook.id} {webhook.generation}".encode()
        return hmac.new(self.key, named, hashlib.sha256).digest()


def signature(secret: bytes, name: str, at_s: int, body: bytes) -> str:
    """Return `v1,` and the HMAC-SHA256 of id, time and body, in base64."""
    signed = f"{name}.{at_s}.".encode() + body
    digest = hmac.new(secret, signed, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode("ascii")


def signer(settings: Settings) -> Signer | None:
    """Return what signs; None where nobody may be told.

    Raises:
        SettingsError: the file of the key cannot be read or made.

    """
    if not settings.webhooks.hosts:
        return None
    if settings.webhooks.key is not None:
        given = settings.webhooks.key.get_secret_value()
        return Signer(hashlib.sha256(given.encode()).digest())
    what = "the secret of webhooks (give another one by webhooks.key)"
    return Signer(bytes.fromhex(secret_in(settings.results_dir / FILE_NAME, what)))
