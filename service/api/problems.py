"""Errors as problem details (RFC 9457): the only place that knows HTTP statuses.

An answer holds a stable code and a sentence of ours, never a value that was sent to us.
"""

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

from jobs.errors import (
    CursorInvalid,
    EmptyComment,
    IllegalMove,
    JobsError,
    SchemaTooNew,
    SchemaTooOld,
    StoreUnavailable,
    UnknownJob,
    UnknownMessage,
    UnknownStudy,
    UnknownToken,
    UnknownWebhook,
)
from service import logs
from service.api.headers import HEADERS
from service.console.problem_pages import as_asked

if TYPE_CHECKING:
    from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"
_RETRY_AFTER_S = "5"

TABLE: tuple[tuple[type[JobsError], HTTPStatus], ...] = (
    (UnknownJob, HTTPStatus.NOT_FOUND),
    (UnknownStudy, HTTPStatus.NOT_FOUND),
    (UnknownToken, HTTPStatus.NOT_FOUND),
    (UnknownWebhook, HTTPStatus.NOT_FOUND),
    (UnknownMessage, HTTPStatus.NOT_FOUND),
    (IllegalMove, HTTPStatus.CONFLICT),
    (CursorInvalid, HTTPStatus.UNPROCESSABLE_ENTITY),
    (EmptyComment, HTTPStatus.UNPROCESSABLE_ENTITY),
    (StoreUnavailable, HTTPStatus.SERVICE_UNAVAILABLE),
    (SchemaTooNew, HTTPStatus.SERVICE_UNAVAILABLE),
    (SchemaTooOld, HTTPStatus.SERVICE_UNAVAILABLE),
)


REFUSALS: dict[str, HTTPStatus] = {
    "BAD_QUERY": HTTPStatus.BAD_REQUEST,
    "BODY_IS_NOT_JSON": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "CHANGED_MEANWHILE": HTTPStatus.PRECONDITION_FAILED,
    "KEY_IN_USE": HTTPStatus.CONFLICT,
    "KEY_WAS_FOR_ANOTHER": HTTPStatus.UNPROCESSABLE_ENTITY,
    "NAMES_HIDDEN": HTTPStatus.FORBIDDEN,
    "NOT_ACCEPTABLE": HTTPStatus.NOT_ACCEPTABLE,
    "NOT_HELD": HTTPStatus.NOT_FOUND,
    "NO_DESTINATION": HTTPStatus.CONFLICT,
    "RECIPIENT_REFUSED": HTTPStatus.UNPROCESSABLE_ENTITY,
    "RESULT_CHANGED": HTTPStatus.CONFLICT,
    "TOO_LARGE": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "TOO_MUCH": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "UNKNOWN_DESTINATION": HTTPStatus.UNPROCESSABLE_ENTITY,
    "UNREADABLE_OBJECT": HTTPStatus.CONFLICT,
    "WEBHOOKS_CLOSED": HTTPStatus.CONFLICT,
}
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_WAITS = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)


class Refused(Exception):  # noqa: N818 - it names the condition
    """A request that the interface itself refuses: a code of `REFUSALS`, and a sentence."""

    def __init__(self, code: str, message: str) -> None:
        """Say why."""
        super().__init__(message)
        self.code = code


class NoSuchResult(Exception):  # noqa: N818 - it names the condition
    """The job has no result of this name, or its file is gone."""

    code = "NO_SUCH_RESULT"


def problem(status: HTTPStatus, code: str, detail: str, **more: Any) -> JSONResponse:  # noqa: ANN401
    """Return one problem document; its trace id stands in the log lines of the request too."""
    document = {
        "type": f"urn:osteon:problem:{code.lower().replace('_', '-')}",
        "title": status.phrase,
        "status": int(status),
        "code": code,
        "detail": detail,
        "instance": f"urn:osteon:trace:{logs.trace_id()}",
        "stage": None,
        "trace_id": logs.trace_id(),
        "errors": [],
        **more,
    }
    retry = {"Retry-After": _RETRY_AFTER_S} if status in _WAITS else {}
    return JSONResponse(document, int(status), media_type=MEDIA_TYPE, headers=retry)


def install(app: FastAPI) -> None:
    """Answer every error of `app` by a problem document."""
    app.add_exception_handler(JobsError, _jobs_error)
    app.add_exception_handler(NoSuchResult, _no_such_result)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(RequestValidationError, _not_valid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _defect)


def cross_site() -> JSONResponse:
    """Answer a page of another site that tried to change something here."""
    return problem(HTTPStatus.FORBIDDEN, "CROSS_SITE", "this can be changed from its own page only")


def of_store(error: JobsError) -> JSONResponse:
    """Answer what the record of work refused."""
    code = str(getattr(error, "code", "JOBS_ERROR"))
    for kind, status in TABLE:
        if isinstance(error, kind):
            return problem(status, code, str(error))
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, code, "the record of work refused this")


def _jobs_error(_request: Request, error: Exception) -> "Response":
    if isinstance(error, JobsError):
        return of_store(error)
    return _defect(_request, error)


def _no_such_result(_request: Request, error: Exception) -> "Response":
    return problem(HTTPStatus.NOT_FOUND, NoSuchResult.code, str(error))


def _refused(_request: Request, error: Exception) -> "Response":
    code = error.code if isinstance(error, Refused) else "REFUSED"
    return problem(REFUSALS.get(code, HTTPStatus.BAD_REQUEST), code, str(error))


def _not_valid(_request: Request, error: Exception) -> "Response":
    rows = error.errors() if isinstance(error, RequestValidationError) else []
    errors = [{"where": _where(row), "what": str(row["type"])} for row in rows]
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    return problem(status, "NOT_VALID", "the request is not as the API describes it", errors=errors)


def _where(row: dict[str, Any]) -> list[str]:
    """Return the place of what is wrong; a name that the caller made up is not repeated."""
    place = list(map(str, row["loc"]))
    return [*place[:-1], "(unknown name)"] if row["type"] == "extra_forbidden" else place


def _http(request: Request, error: Exception) -> "Response":
    status = HTTPStatus(error.status_code if isinstance(error, HTTPException) else 500)
    answer = problem(status, status.name, status.description or status.phrase)
    if isinstance(error, HTTPException) and error.headers:
        answer.headers.update(error.headers)
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        answer.headers["Allow"] = ", ".join(_methods(request))
    return answer


def _methods(request: Request) -> list[str]:
    """Return every method that the address knows; the framework names those of one route only."""
    place = {name: request.scope[name] for name in ("type", "path", "root_path", "headers", "app")}
    routes = request.app.router.routes
    return [
        method
        for method in _METHODS
        if any(route.matches(place | {"method": method})[0] is Match.FULL for route in routes)
    ]


def _defect(request: Request, _error: Exception) -> "Response":
    """Answer outside of every middleware: a browser's page is made here."""
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    answer = problem(status, "INTERNAL", "a defect of Osteon; its log says where")
    answer.headers.update(HEADERS)
    return as_asked(request, answer)
