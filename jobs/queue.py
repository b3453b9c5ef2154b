"""The doorbell: tells a worker that there may be work. The database is the truth."""

from __future__ import annotations

from typing import Protocol


class JobQueue(Protocol):
    """Rings for a job. A ring may be lost or doubled; `JobStore.claim` makes that harmless."""

    def submit(self, job_id: str) -> None:
        """Say that the job with this id is due. Call after the job is committed."""
