"""The secret of this installation, under which patients' digests are made."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from service.secret_file import secret_in

if TYPE_CHECKING:
    from service.settings import Settings

FILE_NAME = ".identity.key"


def identity_key(settings: Settings) -> str:
    """Return the secret, hexadecimal; empty where studies are not compared.

    A given secret is stretched to 32 bytes; else the file beside the results, which every worker
    sees, is read, and made where there is none.

    Raises:
        SettingsError: the file cannot be read or made, or holds no secret.

    """
    follow_up = settings.follow_up
    if not follow_up.enabled:
        return ""
    if follow_up.identity_key is not None:
        given = follow_up.identity_key.get_secret_value()
        return hashlib.sha256(given.encode()).hexdigest()
    return secret_in(settings.results_dir / FILE_NAME, "the secret of patients' digests")
