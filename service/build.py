"""Which software this is: the version, the commit, and the UID of this installation."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from service.settings import Settings
    from workers.configuration import Build

_PROJECT = Path(__file__).resolve().parent.parent
UNKNOWN = "unknown"


def version() -> str:
    """Return the version of the installed package."""
    try:
        return importlib.metadata.version("osteon")
    except importlib.metadata.PackageNotFoundError:
        return UNKNOWN


def git_commit(project: Path = _PROJECT) -> str:
    """Return the commit, read from `.git` without a git program; else "unknown".

    An image has no `.git`: its build writes the commit into `service/COMMIT`.
    """
    git, written = project / ".git", project / "service/COMMIT"
    try:
        if written.is_file():
            return written.read_text(encoding="ascii").strip() or UNKNOWN
        head = (git / "HEAD").read_text(encoding="ascii").strip()
        if not head.startswith("ref: "):
            return head
        name = head.removeprefix("ref: ")
        loose = git / name
        if loose.is_file():
            return loose.read_text(encoding="ascii").strip()
        packed = (git / "packed-refs").read_text(encoding="ascii").splitlines()
        return next((row.split()[0] for row in packed if row.endswith(f" {name}")), UNKNOWN)
    except OSError:
        return UNKNOWN


def settings_digest(settings: Settings) -> str:
    """Return the SHA-256 (hexadecimal) of the settings that change pixels or numbers."""
    sections = {
        "adc": settings.adc,
        "disease": settings.disease,
        "normalisation": settings.normalisation,
        "reading": settings.reading,
    }
    values = {name: section.model_dump(mode="json") for name, section in sections.items()}
    values["follow_up"] = settings.follow_up.model_dump(
        mode="json", exclude={"enabled", "identity_key"}
    )
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def build(settings: Settings) -> Build:
    """Return what results say about the software that made them."""
    from dicom_objects.uids import derived_uid  # noqa: PLC0415 - pydicom takes 0.2 s to import
    from workers.configuration import Build  # noqa: PLC0415

    return Build(
        software_version=version(),
        git_commit=git_commit(),
        device_uid=str(derived_uid("device", "osteon", version())),
        settings_digest=settings_digest(settings),
        adc_map=settings.results.adc_map,
        pdf=settings.report.pdf,
        secondary_capture=settings.report.secondary_capture,
        mip=settings.report.mip,
        volumes=settings.results.volumes,
    )
