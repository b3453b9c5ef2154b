"""A secret of this installation in a file of its own, made where there is none."""

from __future__ import annotations

import contextlib
import os
import secrets
from typing import TYPE_CHECKING

from service.settings import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

_BYTES = 32


def secret_in(path: Path, what: str) -> str:
    """Return the secret in a file, hexadecimal, 32 bytes; made (mode 600) where there is none.

    Processes that start at once agree on one. `what` names the secret in a refusal.

    Raises:
        SettingsError: the file cannot be read or made, or holds no secret.

    """
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            _make(path)
        text = path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise SettingsError(f"{path}: {what}: {error.strerror}") from error
    if len(text) != 2 * _BYTES or not all(c in "0123456789abcdef" for c in text):
        raise SettingsError(f"{path} holds no secret; restore it from a backup, or remove it")
    return text


def _make(path: Path) -> None:
    """Write the file whole under another name, and give it its name unless one is there."""
    draft = path.with_name(f"{path.name}-{os.getpid()}-{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(_BYTES) + "\n")
        file.flush()
        os.fsync(file.fileno())
    with contextlib.suppress(FileExistsError):
        path.hardlink_to(draft)
    draft.unlink()
