"""`/api/v1/jobs/{id}/results`: the files that a job made."""

import os
from pathlib import Path

from fastapi import Request, Response
from fastapi.responses import FileResponse

from jobs.result import ResultFile
from service.api.conditional import NEVER_CHANGES, IfNoneMatch, document, is_known
from service.api.problems import NoSuchResult
from service.api.route import api_router
from service.api.schemas import ResultList, ResultOut
from service.api.site import JobId, ResultName, TheSite

router = api_router("/jobs/{job_id}/results", "results")

SHOWN = ("image/png", "image/webp", "application/json")
NAMES_THE_PATIENT = ("application/dicom", "application/pdf")
MEDIA_TYPES = (*SHOWN, *NAMES_THE_PATIENT, "application/gzip", "application/zip", "text/csv")
_FILE = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in MEDIA_TYPES}
_RANGE = {"description": "The part that the Range header asks for", "content": _FILE}


@router.get("", response_model=ResultList)
def list_results(site: TheSite, job_id: JobId, if_none_match: IfNoneMatch = None) -> Response:
    """List the files of a job."""
    site.store.job(job_id)
    files = [ResultOut.of(job_id, result) for result in site.store.results(job_id)]
    return document(ResultList(files), if_none_match)


@router.get(
    "/{name}",
    response_class=FileResponse,
    responses={200: {"description": "The file", "content": _FILE}, 206: _RANGE},
)
def get_result(
    request: Request,
    site: TheSite,
    job_id: JobId,
    name: ResultName,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Download one file: SEG, SR, measurements.json, lesions.csv, the report or a picture.

    Bytes under a name never change, so that a copy may be kept for ever; what names the patient
    (DICOM, PDF) is not to be kept at all.
    """
    result = _find(site.store.results(job_id), name)
    path = locate(site.results_dir, result)
    tag = f'"{result.sha256}"'
    kept = "no-store" if result.media_type in NAMES_THE_PATIENT else NEVER_CHANGES
    headers = {"ETag": tag, "Cache-Control": kept}
    if is_known(tag, if_none_match) and "Range" not in request.headers:
        return Response(status_code=304, headers=headers)
    return FileResponse(
        path,
        media_type=result.media_type,
        filename=result.name,
        content_disposition_type="inline" if result.media_type in SHOWN else "attachment",
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
