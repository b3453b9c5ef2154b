"""`osteon config`, `health`, `db`: look at and keep an installation."""

from dataclasses import asdict
from enum import StrEnum
from typing import Annotated, Any

import typer

from service.cli.invocation import Exit, explained, invocation, print_json
from service.settings import Settings

_AsJson = Annotated[bool, typer.Option("--json", help="Write JSON to stdout.")]

db = typer.Typer(help="The database.", no_args_is_help=True)


def config(
    context: typer.Context,
    as_json: _AsJson = False,
    explain: Annotated[bool, typer.Option(help="Say what each setting is for.")] = False,
) -> None:
    """Show the settings in force, and where each came from; secrets are masked."""
    from service.configuration import entries  # noqa: PLC0415

    settings = invocation(context).settings()
    found = entries(settings)
    if as_json:
        print_json([asdict(entry) for entry in found] if explain else _document(settings))
        return
    for entry in found:
        if explain:
            typer.echo(f"\n# {entry.explanation}")
        origin = " ".join(part for part in (entry.source, entry.place) if part)
        typer.echo(f"{entry.key} = {entry.value!r}  # {origin}")


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


def _document(settings: Settings) -> dict[str, Any]:
    """Return the settings as tables, as `osteon.toml` has them."""
    tables: dict[str, Any] = settings.model_dump(mode="json")
    return tables
