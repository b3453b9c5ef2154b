"""What the REST interface says of itself: one OpenAPI 3.1 document, with every answer it can give.

`python -m service.api.documentation` writes it to docs/openapi.json; a test compares the two.
"""

import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel

from service.access.rules import role_for
from service.api.problems import MEDIA_TYPE

SNAPSHOT = Path(__file__).parents[2] / "docs" / "openapi.json"
_METHODS = ("get", "post", "put", "patch", "delete")
_DESCRIPTION = (
    "Studies, jobs, results and events of one Osteon installation. Every error is a problem "
    "document (RFC 9457) with a stable `code`. docs/rest.md has examples. Research software, not "
    "a medical device."
)
_MEANS = {
    400: "The body cannot be read",
    401: "Nobody said who asks (`NOT_SIGNED_IN`)",
    403: "The caller's role does not allow it, or another site's page asks",
    404: "There is no such thing",
    405: "The address does not know this method",
    409: "The state of things does not allow it",
    412: "It is not the version that If-Match names",
    413: "The body is too large",
    415: "The body is not JSON",
    416: "The file has no such part",
    422: "The request is not as this document describes it",
    429: "Too many requests; Retry-After says when to come again",
    503: "The database does not answer; Retry-After says when to come again",
}
_WAITS = (429, 503)


class FieldProblem(BaseModel):
    """One part of a request that is wrong."""

    where: list[str]
    what: str


class Problem(BaseModel):
    """A problem document (RFC 9457)."""

    type: str
    title: str
    status: int
    code: str
    """Stable: for programs and search."""
    detail: str
    """One sentence for a person."""
    instance: str
    stage: str | None
    """Of a job, where the problem is one of it."""
    trace_id: str | None
    """Stands in the log lines of this request too."""
    errors: list[FieldProblem]


def operation_id(route: APIRoute) -> str:
    """Name an operation as its function is named."""
    return route.name


def install(app: FastAPI) -> None:
    """Let `app` describe itself by `described`."""
    app.openapi = lambda: described(app)  # type: ignore[method-assign]


def described(app: FastAPI) -> dict[str, Any]:
    """Return the document of an application; made once."""
    if app.openapi_schema is None:
        app.openapi_schema = _completed(FastAPI.openapi(app))
    return app.openapi_schema


def _completed(document: dict[str, Any]) -> dict[str, Any]:
    document["info"]["description"] = _DESCRIPTION
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem.pop("$defs") | {"Problem": problem}
    document["components"]["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "`osteon tokens create`"}
    }
    for path, method, operation in _operations(document):
        _complete(path, method, operation)
    return document


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                yield path, method, item[method]


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    """Add the answers that the framework does not know of."""
    answers = operation["responses"]
    answers.pop("422", None)
    if role_for(method.upper(), path.replace("{", "").replace("}", "")) is not None:
        operation["security"] = [{"token": []}]
    for status in {*_statuses(path, method, operation), *_refusals(answers)}:
        # What a route says itself of an answer counts; what it leaves open is a problem document.
        answers[str(status)] = _problem(status) | answers.get(str(status), {})
    operation["responses"] = dict(sorted(answers.items()))
    if any(one["name"] == "if-none-match" for one in operation.get("parameters", ())):
        answers = operation["responses"]
        tag = {"ETag": {"schema": {"type": "string"}, "description": "Of exactly these bytes"}}
        answers["200"]["headers"] = tag
        answers["304"] = {"description": "The caller has this version already", "headers": tag}


def _statuses(path: str, method: str, operation: Mapping[str, Any]) -> set[int]:
    parameters = operation.get("parameters", ())
    found = {429, 503} | ({401, 403} if "security" in operation else set())
    if parameters or "requestBody" in operation:
        found.add(422)
    if "{" in path:
        found.add(404)
    if method != "get":
        found.add(409)
    if "requestBody" in operation:
        found |= {400, 413, 415}
    if any(one["name"] == "if-match" for one in parameters):
        found.add(412)
    if "206" in operation["responses"]:
        found.add(416)
    return found


def _refusals(answers: Mapping[str, Any]) -> set[int]:
    return {int(status) for status in answers if int(status) >= 400}


def _problem(status: int) -> dict[str, Any]:
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    means = _MEANS.get(status, HTTPStatus(status).description)
    answer: dict[str, Any] = {"description": means, "content": content}
    if status in _WAITS:
        answer["headers"] = {
            "Retry-After": {"schema": {"type": "integer"}, "description": "Seconds"}
        }
    return answer


def snapshot() -> str:
    """Return the document of an installation as it is committed; nothing is opened or sent."""
    # Imported here: the application imports this module.
    from jobs.migrate import upgrade  # noqa: PLC0415
    from jobs.store import JobStore  # noqa: PLC0415
    from service.api.app import create_app  # noqa: PLC0415
    from service.api.site import Site  # noqa: PLC0415
    from service.build import version  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        url = f"sqlite:///{place / 'empty.sqlite'}"
        upgrade(url)
        with JobStore(url) as store:
            node = ("127.0.0.1", 0, "OSTEON")
            site = Site(store, place, place, (), *node, version(), "")
            return json.dumps(create_app(site).openapi(), indent=1, sort_keys=True) + "\n"


def main() -> None:
    """Write the document."""
    SNAPSHOT.write_text(snapshot(), encoding="utf-8")
    sys.stdout.write(f"{SNAPSHOT}\n")


if __name__ == "__main__":
    main()
