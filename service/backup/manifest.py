"""What a backup says of itself: `manifest.json`, and `SHA256SUMS` over every other file.

<backup>/manifest.json              form, software, schema, counts, models, settings without secrets
<backup>/SHA256SUMS                 `sha256sum -c SHA256SUMS` proves the folder without Osteon
<backup>/*.key                      secrets that were made beside the results
<backup>/records/<table>.jsonl.gz   the database (jobs.dump)
<backup>/spool/studies/...          images, under the paths that they have in the spool
<backup>/results/...                result files, the same
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Self

from service import identity_key
from service.backup.errors import BackupDamaged, NotABackup
from service.webhooks import signing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FORM = 1
MANIFEST, SUMS = "manifest.json", "SHA256SUMS"
RECORDS, SPOOL, RESULTS = "records", "spool", "results"
KEYS = {"identity.key": identity_key.FILE_NAME, "webhooks.key": signing.FILE_NAME}
"""Secrets that were made beside the results; there is none where a setting gives it."""
_DIGEST_LENGTH = 64


@dataclass(frozen=True)
class Manifest:
    """One backup."""

    created_at: str  # UTC, ISO 8601
    software: str
    git_commit: str
    schema: str
    rows: dict[str, int]
    images: str  # "unfinished" or "all"
    files: dict[str, int]  # how many under spool and results
    missing: int
    """Files that the record names and the data folder does not have, or not as it names them."""
    models: dict[str, str]  # folder: sha256 of the version that serves
    settings: dict[str, Any] = field(default_factory=dict)
    form: int = FORM

    def write(self, folder: Path) -> None:
        """Write it."""
        text = json.dumps(asdict(self), indent=2, sort_keys=True)
        (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read it.

        Raises:
            NotABackup: there is none, or it is of a form that this software does not know.

        """
        try:
            document = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
            form = document["form"]
            if form == FORM:
                return cls(**document)
        except (OSError, ValueError, KeyError, TypeError) as error:
            message = f"{folder} is not a backup: it has no readable {MANIFEST}"
            raise NotABackup(message) from error
        message = f"{folder} is a backup of form {form}; this software reads form {FORM}"
        raise NotABackup(message)


def write_sums(folder: Path, digests: Mapping[str, str]) -> None:
    """Write the digests in the form of sha256sum."""
    lines = (f"{digest}  {path}\n" for path, digest in sorted(digests.items()))
    (folder / SUMS).write_text("".join(lines), encoding="utf-8")


def read_sums(folder: Path) -> dict[str, str]:
    """Return the digest of each file by its relative path.

    Raises:
        NotABackup: there is no such file.
        BackupDamaged: a line is none of ours.

    """
    try:
        lines = (folder / SUMS).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        message = f"{folder} is not a whole backup: {SUMS} cannot be read"
        raise NotABackup(message) from error
    digests = {}
    for line in lines:
        digest, _, path = line.partition("  ")
        if len(digest) != _DIGEST_LENGTH or not _is_inside(path):
            message = f"{SUMS} of {folder} has a line that no backup writes; take another backup"
            raise BackupDamaged(message)
        digests[path] = digest
    return digests


def _is_inside(path: str) -> bool:
    pure = PurePosixPath(path)
    return bool(path) and not pure.is_absolute() and ".." not in pure.parts
