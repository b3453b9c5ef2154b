"""What a destination reports of storage commitment, later and by itself, reaches the store.

The job that waits for it is due at once, and workers are told.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from jobs.errors import StoreUnavailable

if TYPE_CHECKING:
    from dicom_node.acceptor.services import NormalizedService
    from dicom_node.commitment import CommitmentReport
    from jobs.queue import JobQueue
    from jobs.store import JobStore

_LOG = logging.getLogger(__name__)


def commitment_reports(store: JobStore, queue: JobQueue) -> NormalizedService:
    """Return what the node answers who reports; it plugs into the acceptor."""
    from dicom_node.commitment import ReportNotKept, ReportService  # noqa: PLC0415

    def note(report: CommitmentReport) -> bool:
        try:
            found = report.transaction_uid, report.committed, report.failed
            job_id = store.commitment_reported(*found)
        except StoreUnavailable as error:
            told = {"event": "store_away", "code": error.code}
            _LOG.warning("a report of storage commitment was not kept", extra=told)
            raise ReportNotKept from error
        if job_id is None:
            told = {"event": "commitment_unknown"}
            _LOG.warning("a report of storage commitment that nobody asked for", extra=told)
            return False
        told = {"event": "commitment_reported", "job_id": job_id}
        text = "storage commitment: %d objects stored, %d not"
        _LOG.info(text, len(report.committed), len(report.failed), extra=told)
        queue.submit(job_id)
        return True

    return ReportService(note).service()
