"""`osteon config`, `health`, `db`: look at and keep an installation."""

from enum import StrEnum
from typing import Annotated

import typer

from service.cli.invocation import Exit, explained, invocation, print_json

_AsJson = Annotated[bool, typer.Option("--json", help="Write JSON to stdout.")]

db = typer.Typer(help="The database.", no_args_is_help=True)


def config(context: typer.Context, as_json: _AsJson = False) -> None:
    """Show the settings in force; secrets are masked."""
    settings = invocation(context).settings()
    document = settings.model_dump(mode="json")
    if as_json:
        print_json(document)
        return
    for key, value in sorted(_flat(document, "")):
        typer.echo(f"{key} = {value!r}")


class Process(StrEnum):
    """The processes that a host or a container runs."""

    NODE = "node"
    WORKER = "worker"
    API = "api"


def health(
    context: typer.Context,
    process: Annotated[Process, typer.Argument(help="Which process of this host to ask.")],
) -> None:
    """Say whether a process beside this one works, and if not, why: exit status 0 or 1."""
    from dicom_node.errors import DicomNodeError  # noqa: PLC0415
    from imaging.errors import ModelMismatch  # noqa: PLC0415
    from jobs.errors import JobsError  # noqa: PLC0415
    from service.health import CHECKS, NotHealthy  # noqa: PLC0415

    settings = invocation(context).settings()
    with explained(NotHealthy, DicomNodeError, JobsError, ModelMismatch):
        CHECKS[process](settings)
    typer.echo(f"{process} works")


@db.command()
def upgrade(context: typer.Context) -> None:
    """Bring the database to the schema of this software."""
    from jobs import migrate  # noqa: PLC0415
    from jobs.errors import JobsError  # noqa: PLC0415

    settings = invocation(context).settings()
    with explained(JobsError):
        typer.echo(f"schema {migrate.upgrade(settings.store_url)}")


@db.command()
def current(context: typer.Context, as_json: _AsJson = False) -> None:
    """Show the schema that the database has and the one that this software needs."""
    from jobs import migrate  # noqa: PLC0415
    from jobs.errors import JobsError  # noqa: PLC0415

    settings = invocation(context).settings()
    with explained(JobsError):
        has, needs = migrate.current(settings.store_url), migrate.head()
    if as_json:
        print_json({"current": has, "head": needs})
    else:
        typer.echo(f"the database has {has or 'no schema'}, this software needs {needs}")
    if has != needs:
        raise typer.Exit(int(Exit.ERROR))


def _flat(document: dict[str, object], prefix: str) -> list[tuple[str, object]]:
    rows: list[tuple[str, object]] = []
    for key, value in document.items():
        if isinstance(value, dict) and value:
            rows += _flat(value, f"{prefix}{key}.")
        else:
            rows.append((f"{prefix}{key}", value))
    return rows
