"""The secret of this installation, under which patients' digests are made."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from typing import TYPE_CHECKING

from service.settings import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

    from service.settings import Settings

FILE_NAME = ".identity.key"
_BYTES = 32


def identity_key(settings: Settings) -> str:
    """Return the secret, hexadecimal; empty where studies are not compared.

    A given secret is stretched to 32 bytes; else the file beside the results, which every worker
    sees, is read, and made (mode 600) where there is none. Workers that start at once agree on one.

    Raises:
        SettingsError: the file cannot be read or made, or holds no secret.

    """
    follow_up = settings.follow_up
    if not follow_up.enabled:
        return ""
    if follow_up.identity_key is not None:
        given = follow_up.identity_key.get_secret_value()
        return hashlib.sha256(given.encode()).hexdigest()
    path = settings.results_dir / FILE_NAME
    try:
        settings.results_dir.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _make(path)
        text = path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise SettingsError(f"{path}: the secret of patients' digests: {error.strerror}") from error
    if len(text) != 2 * _BYTES or not all(c in "0123456789abcdef" for c in text):
        raise SettingsError(f"{path} holds no secret; restore it from a backup, or remove it")
    return text


def _make(path: Path) -> None:
    """Write the file whole under another name, and give it its name unless one is there."""
    draft = path.with_name(f"{FILE_NAME}-{os.getpid()}-{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(_BYTES) + "\n")
        file.flush()
        os.fsync(file.fileno())
    with contextlib.suppress(FileExistsError):
        path.hardlink_to(draft)
    draft.unlink()
