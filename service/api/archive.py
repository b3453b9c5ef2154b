"""`/api/v1/jobs/{id}/results.zip`: what a job made as one archive, written while it is sent.

Nothing is packed beforehand and no file is in memory whole. Members are stored, not deflated:
volumes and pictures are packed already, and the rest is not worth the server's time.
"""

import hashlib
import io
import logging
import zipfile
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from fastapi import Query
from fastapi.responses import StreamingResponse

from jobs.job import Job
from jobs.result import ResultFile
from service.api.problems import NoSuchResult
from service.api.results import locate
from service.api.route import api_router
from service.api.site import JobId, TheSite

router = api_router("/jobs", "results")

MEDIA_TYPE = "application/zip"
_LOG = logging.getLogger(__name__)
_PIECE = 1 << 18
_ARCHIVE = {"schema": {"type": "string", "format": "binary"}}
_INTERNAL = frozenset({"time_point"})
"""Kinds that only Osteon reads."""


class Part(StrEnum):
    """A folder of the archive."""

    DICOM = "dicom"
    VOLUMES = "volumes"
    REPORT = "report"


class ResultDamaged(Exception):  # noqa: N818 - it names the condition
    """A file is not the one that was kept; what was sent so far is no whole archive."""

    code = "RESULT_DAMAGED"


@router.get(
    "/{job_id}/results.zip",
    response_class=StreamingResponse,
    responses={200: {"description": "A ZIP archive", "content": {MEDIA_TYPE: _ARCHIVE}}},
)
def download_archive(
    site: TheSite, job_id: JobId, part: Annotated[list[Part], Query(default_factory=list)]
) -> StreamingResponse:
    """Download all results of a job as one ZIP: DICOM, NIfTI volumes, tables, report, pictures."""
    job = site.store.job(job_id)
    wanted = frozenset(part or Part)
    results = [
        one
        for one in site.store.results(job_id)
        if one.kind not in _INTERNAL and part_of(one) in wanted
    ]
    if not results:
        raise NoSuchResult("this job has no such results, so there is nothing to pack")
    # All are looked for before the first byte is sent: later there is no status to say it by.
    files = [(one, locate(site.results_dir, one)) for one in results]
    name = archive_name(job)
    headers = {
        "Content-Disposition": f'attachment; filename="{name}.zip"',
        "Cache-Control": "no-store",  # DICOM and PDF name the patient
    }
    return StreamingResponse(packed(job, files), media_type=MEDIA_TYPE, headers=headers)


def archive_name(job: Job) -> str:
    """Return the name of the archive and of the folder in it; it names no patient."""
    return f"osteon-study-{job.study_uid[-8:]}-run-{job.id[:8]}".replace(".", "-")


def part_of(result: ResultFile) -> Part:
    """Return the folder that a result belongs into."""
    if result.sop_instance_uid is not None:
        return Part.DICOM
    return Part.VOLUMES if result.kind.startswith("volume") else Part.REPORT


def packed(job: Job, files: list[tuple[ResultFile, Path]]) -> Iterator[bytes]:
    """Yield a ZIP of the files, a piece at a time; equal results give equal bytes.

    Raises:
        ResultDamaged: a file is not the one that was kept.

    """
    outlet = _Outlet()
    with zipfile.ZipFile(outlet, "w", zipfile.ZIP_STORED) as archive:
        for result, path in files:
            place = f"{archive_name(job)}/{part_of(result)}/{result.name}"
            entry = zipfile.ZipInfo(place, job.created_at.timetuple()[:6])
            entry.external_attr = 0o644 << 16
            entry.file_size = path.stat().st_size  # decides on the large form before writing
            with archive.open(entry, "w") as member:
                for piece in _proven(result, path):
                    member.write(piece)
                    yield outlet.take()
    yield outlet.take()


def _proven(result: ResultFile, path: Path) -> Iterator[bytes]:
    """Yield a file piece by piece, and fail at its end unless it is what was kept."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
            yield piece
    if digest.hexdigest() != result.sha256:
        told = {"event": "result_damaged", "code": ResultDamaged.code}
        _LOG.error("a file of a job's results is not the one that was kept", extra=told)
        raise ResultDamaged(f"{result.name} is not the file that was kept; restore a backup")


class _Outlet(io.RawIOBase):
    """Where the archive is written to, and taken from at once; it can only go forward."""

    def __init__(self) -> None:
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        piece = bytes(memoryview(data))  # type: ignore[arg-type] # any buffer, as zipfile gives it
        self._held += piece
        return len(piece)

    def take(self) -> bytes:
        """Return what was written since the last time."""
        piece = bytes(self._held)
        self._held.clear()
        return piece
