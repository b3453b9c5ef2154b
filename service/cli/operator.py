"""Who types a command, for the audit."""

from __future__ import annotations

import os
import pwd
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jobs.job import Job
    from jobs.store import JobStore


def operator_name() -> str:
    """Return the user of the system who runs the command, and that it is one."""
    uid = os.getuid()
    try:
        return f"{pwd.getpwuid(uid).pw_name} (command)"
    except KeyError:  # a container's user has a number only
        return f"uid {uid} (command)"


def record_command(store: JobStore, event: str, detail: str = "", job: Job | None = None) -> None:
    """Write into the audit what a command did, and to which job's study."""
    from jobs.audit import AuditEntry  # noqa: PLC0415

    entry = AuditEntry(
        event,
        "success",
        operator_name(),
        "admin",
        "this host",
        study_uid=None if job is None else job.study_uid,
        job_id=None if job is None else job.id,
        detail=detail,
    )
    store.record_audit(entry)
