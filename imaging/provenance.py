"""Where a result comes from: enough to make it again and to tell it from another."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ModelIdentity:
    """A served model: its name, its version and the SHA-256 of its file (hexadecimal)."""

    name: str
    version: str
    sha256: str


@dataclass(frozen=True)
class Provenance:
    """One run: software, models, a digest of the settings that change numbers, run and times.

    `started_at` and `finished_at` are ISO 8601 with a time zone; `device_uid` is the DICOM UID
    of this installation, `run_id` that of the job's run.
    """

    software_version: str
    git_commit: str
    models: tuple[ModelIdentity, ...]
    settings_digest: str
    device_uid: str
    run_id: str
    started_at: str
    finished_at: str
