"""QIDO-RS: search for studies, series and instances (PS3.18 10.6)."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response
from starlette.responses import JSONResponse

from service.dicomweb.accept import accepted
from service.dicomweb.addressed import named
from service.dicomweb.answers import Answers, warnings
from service.dicomweb.attributes import Level
from service.dicomweb.parts import DicomWeb, TheParts, root_of
from service.dicomweb.query import MOST, read_search
from service.dicomweb.refusals import not_acceptable
from service.dicomweb.rows import (
    InstanceRow,
    Scope,
    find_instances,
    find_series,
    find_studies,
    with_headers,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.dicomweb.accept import MediaRange
    from service.dicomweb.query import Search
    from service.dicomweb.rows import SeriesRow, StudyRow

router = APIRouter()

JSON = "application/dicom+json"


@router.get("/studies", name="dicomweb_search_studies")
def search_studies(request: Request, parts: TheParts) -> Response:
    """List studies."""
    return _answer(request, parts, Level.STUDY)


@router.get("/series", name="dicomweb_search_series")
@router.get("/studies/{study}/series", name="dicomweb_search_series_of_study")
def search_series(request: Request, parts: TheParts) -> Response:
    """List series, of one study or of all."""
    return _answer(request, parts, Level.SERIES)


@router.get("/instances", name="dicomweb_search_instances")
@router.get("/studies/{study}/instances", name="dicomweb_search_instances_of_study")
@router.get(
    "/studies/{study}/series/{series}/instances", name="dicomweb_search_instances_of_series"
)
def search_instances(request: Request, parts: TheParts) -> Response:
    """List instances, of a series, of a study or of all."""
    return _answer(request, parts, Level.INSTANCE)


def accept_json(ranges: Sequence[MediaRange]) -> None:
    """Refuse a request that does not take JSON."""
    if not any(one.takes(JSON) or one.takes("application/json") for one in ranges):
        raise not_acceptable(f"this is given as {JSON} only")


def _answer(request: Request, parts: DicomWeb, level: Level) -> Response:
    accept_json(accepted(request))
    address = named(request)
    search = read_search(level, request.query_params.multi_items())
    scope = Scope(address.study_uid, address.series_uid)
    complete = _refreshed(parts, scope)
    rows = _rows(parts, search, scope)
    more = len(rows) > search.limit
    root = root_of(request)
    answers = Answers(search, scope, root)
    told = warnings(search, more=more and search.limit == MOST[level], complete=complete, root=root)
    warning = ", ".join(told)
    headers = {"Warning": warning} if warning else {}
    body = [answers.of(row) for row in _shown(parts, rows[: search.limit])]
    if not body:  # PS3.18 8.3.4.4.1
        return Response(status_code=204, headers=headers)
    return JSONResponse(body, media_type=JSON, headers=headers)


def _refreshed(parts: DicomWeb, scope: Scope) -> bool:
    if scope.study_uid is None:
        return parts.catalogue.refresh()
    parts.catalogue.refresh_study(scope.study_uid)
    return True


def _rows(
    parts: DicomWeb, search: Search, scope: Scope
) -> list[StudyRow] | list[SeriesRow] | list[InstanceRow]:
    """Return one row more than is answered, where there is one."""
    window = (search.offset, search.offset + search.limit + 1)
    match search.level:
        case Level.STUDY:
            return list(islice(find_studies(parts.catalogue, search, scope), *window))
        case Level.SERIES:
            return list(islice(find_series(parts.catalogue, search, scope), *window))
        case Level.INSTANCE:
            return list(islice(find_instances(parts.catalogue, search, scope), *window))


def _shown(
    parts: DicomWeb, rows: Sequence[StudyRow | SeriesRow | InstanceRow]
) -> Sequence[StudyRow | SeriesRow | InstanceRow]:
    """Read the headers of the objects that are answered."""
    objects = [row for row in rows if isinstance(row, InstanceRow)]
    return with_headers(parts.catalogue, objects) if objects else rows
