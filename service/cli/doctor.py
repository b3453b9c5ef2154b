"""`osteon doctor`: look at everything that a site needs, one line each."""

from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.invocation import Exit, invocation, print_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from service.preflight.finding import Finding
    from service.settings import Settings


class Part(StrEnum):
    """What can be looked at."""

    STORAGE = "storage"
    DATABASE = "database"
    BROKER = "broker"
    MODELS = "models"
    DOOR = "door"
    PACS = "pacs"
    ARCHIVE = "archive"
    AUDIT = "audit"


def doctor(
    context: typer.Context,
    parts: Annotated[
        list[Part] | None, typer.Argument(help="What to look at; everything if not given.")
    ] = None,
    wait_echo: Annotated[
        float, typer.Option(min=0, help="Wait so many seconds for a C-ECHO from the PACS.")
    ] = 0.0,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON to stdout.")] = False,
) -> None:
    """Look at disk, database, Redis, models, the door and the PACS; say what is wrong.

    One line each: ok, problem or skipped, a stable code, what to do. Exit status 1: a problem.
    """
    from service.preflight.finding import Verdict  # noqa: PLC0415

    found = []
    for finding in _findings(invocation(context).settings(), parts or list(Part), wait_echo):
        found.append(finding)
        if not as_json:
            typer.echo(finding.line())
    if as_json:
        print_json([asdict(finding) for finding in found])
    if any(finding.verdict is Verdict.PROBLEM for finding in found):
        raise typer.Exit(int(Exit.ERROR))


def _findings(settings: "Settings", parts: list[Part], wait_echo: float) -> "Iterator[Finding]":
    from service.preflight import (  # noqa: PLC0415
        archive,
        audit_repository,
        door,
        neighbours,
        servers,
        storage,
    )

    checks: Mapping[Part, Callable[[Settings], Iterator[Finding]]] = {
        Part.STORAGE: storage.check_storage,
        Part.DATABASE: servers.check_database,
        Part.BROKER: servers.check_broker,
        Part.MODELS: servers.check_models,
        Part.DOOR: door.check_door,
        Part.PACS: neighbours.check_destinations,
        Part.ARCHIVE: archive.check_archive,
        Part.AUDIT: audit_repository.check_audit_repository,
    }
    for part in parts:
        yield from checks[part](settings)
        if part is Part.PACS:
            yield neighbours.check_echo_back(settings, wait_echo)
