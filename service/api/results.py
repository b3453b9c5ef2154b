"""`/api/v1/jobs/{id}/results`: the files that a job made."""

import os
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse

from jobs.result import ResultFile
from service.api.problems import NoSuchResult
from service.api.schemas import ResultOut
from service.api.site import JobId, ResultName, TheSite

router = APIRouter(prefix="/api/v1/jobs/{job_id}/results", tags=["results"])


@router.get("")
def list_results(site: TheSite, job_id: JobId) -> list[ResultOut]:
    """List the files of a job."""
    site.store.job(job_id)
    return [ResultOut.of(job_id, result) for result in site.store.results(job_id)]


@router.get("/{name}", response_class=FileResponse)
def get_result(site: TheSite, job_id: JobId, name: ResultName) -> FileResponse:
    """Download one file: SEG, SR, measurements.json, lesions.csv or a picture."""
    result = _find(site.store.results(job_id), name)
    path = locate(site.results_dir, result)
    # Bytes under a name never change, so the digest is the tag and a copy may be kept.
    headers = {"ETag": f'"{result.sha256}"', "Cache-Control": "private, no-cache"}
    shown = result.media_type in ("image/png", "application/json")
    return FileResponse(
        path,
        media_type=result.media_type,
        filename=result.name,
        content_disposition_type="inline" if shown else "attachment",
        headers=headers,
    )


def _find(results: tuple[ResultFile, ...], name: str) -> ResultFile:
    """Find the row: the name selects among what the store has, it never becomes a path."""
    for result in results:
        if result.name == name:
            return result
    raise NoSuchResult("this job has no result of this name")


def locate(results_dir: Path, result: ResultFile) -> Path:
    """Return the file of a result.

    Raises:
        NoSuchResult: it is gone, is a link, or lies outside the folder of results.

    """
    path = results_dir / result.path
    inside = Path(os.path.realpath(path)).is_relative_to(os.path.realpath(results_dir))
    if not inside or path.is_symlink() or not path.is_file():
        raise NoSuchResult("the file of this result is not there any more")
    return path
