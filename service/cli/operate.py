"""`osteon config`, `db`, `models`: look at and keep an installation."""

from pathlib import Path
from typing import Annotated

import typer

from service.cli.invocation import Exit, explained, invocation, print_json

_AsJson = Annotated[bool, typer.Option("--json", help="Write JSON to stdout.")]

db = typer.Typer(help="The database.", no_args_is_help=True)
models = typer.Typer(help="The served models.", no_args_is_help=True)


def config(context: typer.Context, as_json: _AsJson = False) -> None:
    """Show the settings in force; secrets are masked."""
    settings = invocation(context).settings()
    document = settings.model_dump(mode="json")
    if as_json:
        print_json(document)
        return
    for key, value in sorted(_flat(document, "")):
        typer.echo(f"{key} = {value!r}")


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


@models.command("list")
def list_models(context: typer.Context, as_json: _AsJson = False) -> None:
    """List the models in the repository."""
    rows = _models(invocation(context).settings().models.repository)
    if as_json:
        print_json(rows)
        return
    for row in rows:
        typer.echo("  ".join(str(value) for value in row.values()))


@models.command()
def verify(context: typer.Context, as_json: _AsJson = False) -> None:
    """Load every model and ask it one slab: files and declarations must agree.

    Digests, channels, classes, shapes, and that the answers are probabilities.
    """
    repository = invocation(context).settings().models.repository
    rows = [_verified(repository, row) for row in _models(repository)]
    broken = [row for row in rows if row["state"] != "ok"]
    if as_json:
        print_json(rows)
    else:
        for row in rows:
            typer.echo(f"{row['folder']}: {row['state']}")
    if broken or not rows:
        raise typer.Exit(int(Exit.ERROR))


def _verified(repository: Path, row: dict[str, str]) -> dict[str, str]:
    from imaging.errors import ModelMismatch  # noqa: PLC0415
    from workers.inference.torchscript import TorchScriptModel  # noqa: PLC0415 - loads torch

    if row["state"] != "ok":
        return row
    try:
        TorchScriptModel(repository / row["folder"], threads=1)
    except ModelMismatch as error:
        return {**row, "state": str(error)}
    return row


def _models(repository: Path) -> list[dict[str, str]]:
    from imaging.errors import ModelMismatch  # noqa: PLC0415
    from workers.inference.repository import DECLARATION, load_spec  # noqa: PLC0415

    rows = []
    for declaration in sorted(repository.glob(f"*/{DECLARATION}")):
        row = {"folder": declaration.parent.name}
        try:
            spec = load_spec(declaration.parent)
        except ModelMismatch as error:
            rows.append({**row, "name": "?", "version": "?", "sha256": "?", "state": str(error)})
        else:
            identity = {"name": spec.name, "version": spec.version, "sha256": spec.sha256}
            rows.append({**row, **identity, "state": "ok"})
    return rows


def _flat(document: dict[str, object], prefix: str) -> list[tuple[str, object]]:
    rows: list[tuple[str, object]] = []
    for key, value in document.items():
        if isinstance(value, dict) and value:
            rows += _flat(value, f"{prefix}{key}.")
        else:
            rows.append((f"{prefix}{key}", value))
    return rows
