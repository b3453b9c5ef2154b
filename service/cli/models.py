"""`osteon models`: the models and their versions, whether they are sound, which one serves."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from service.cli.invocation import Exit, explained, invocation, print_json
from service.settings import Settings

_AsJson = Annotated[bool, typer.Option("--json", help="Write JSON to stdout.")]
_Name = Annotated[str, typer.Argument(help="The model's folder in the repository, as anatomy.")]

models = typer.Typer(help="The served models and their versions.", no_args_is_help=True)


@models.command("list")
def list_models(context: typer.Context, as_json: _AsJson = False) -> None:
    """List the versions of every model, and which one serves."""
    rows = _rows(invocation(context).settings().models.repository)
    if as_json:
        print_json(rows)
        return
    for row in rows:
        typer.echo("  ".join(str(value) for value in row.values()))


@models.command()
def verify(
    context: typer.Context,
    record: Annotated[
        bool,
        typer.Option(help="Write what the files answer to the known slab into osteon.json."),
    ] = False,
    as_json: _AsJson = False,
) -> None:
    """Load every version and ask it one slab: files and declarations must agree.

    Digests, channels, classes, shapes, that the answers are probabilities, and that they are
    those of osteon.json. With models.backend = triton, what serves is asked on the server too.
    """
    settings = invocation(context).settings()
    rows = [_verified(settings, row, record) for row in _rows(settings.models.repository)]
    broken = [row for row in rows if row["state"] != "ok"]
    if as_json:
        print_json(rows)
    else:
        for row in rows:
            typer.echo(f"{row['folder']} {row['number']}: {row['state']}")
    if broken or not rows:
        raise typer.Exit(int(Exit.ERROR))


@models.command()
def add(
    context: typer.Context,
    source: Annotated[Path, typer.Argument(help="A folder that export or import wrote.")],
    name: _Name,
) -> None:
    """Copy a model into the repository as the next version of NAME; it does not serve yet."""
    from imaging.errors import ModelMismatch  # noqa: PLC0415
    from workers.inference.installing import add_version, record_answer  # noqa: PLC0415
    from workers.inference.repository import load_known_answer  # noqa: PLC0415
    from workers.inference.torchscript import TorchScriptModel  # noqa: PLC0415 - loads torch

    folder = _folder(context, name)
    with explained(ModelMismatch):
        answer = TorchScriptModel(source, threads=1, version=1).known_answer
        number = add_version(source, folder)
        if load_known_answer(folder, number) is None:
            record_answer(folder, number, answer)
    typer.echo(f"{name} version {number} is there; a running Triton loads it when it is restarted")


@models.command()
def promote(
    context: typer.Context,
    name: _Name,
    version: Annotated[int, typer.Argument(min=1, help="Its number: osteon models list.")],
    canary: Annotated[
        float | None,
        typer.Option(min=0.1, max=100, help="Only for this percentage of the studies, on trial."),
    ] = None,
) -> None:
    """Let a version serve from the next study on, once it has answered the known slab."""
    from imaging.errors import ModelMismatch  # noqa: PLC0415
    from workers.inference.model import ModelUnavailable  # noqa: PLC0415
    from workers.inference.serving import read_serving, write_serving  # noqa: PLC0415

    folder = _folder(context, name)
    with explained(ModelMismatch, ModelUnavailable):
        _prove(invocation(context).settings(), folder, version)
        now = read_serving(folder)
        chosen = now.promoted(version) if canary is None else now.tried(version, canary)
        write_serving(folder, chosen)
    _tell(name, folder)


@models.command()
def rollback(
    context: typer.Context,
    name: _Name,
    version: Annotated[
        int | None,
        typer.Argument(min=1, help="The one before, or the end of a trial, if not given."),
    ] = None,
) -> None:
    """Go back: end the trial, else serve the version that served before."""
    from imaging.errors import ModelMismatch  # noqa: PLC0415
    from workers.inference.model import ModelUnavailable  # noqa: PLC0415
    from workers.inference.serving import read_serving, write_serving  # noqa: PLC0415

    folder = _folder(context, name)
    with explained(ModelMismatch, ModelUnavailable):
        now = read_serving(folder)
        chosen = now.rolled_back() if version is None else now.promoted(version)
        _prove(invocation(context).settings(), folder, chosen.version)
        write_serving(folder, chosen)
    _tell(name, folder)


def _folder(context: typer.Context, name: str) -> Path:
    return invocation(context).settings().models.repository / name


def _prove(settings: Settings, folder: Path, version: int) -> None:
    """Ask the version where it would run; raise what opening a model raises."""
    from service.wiring import open_version  # noqa: PLC0415

    open_version(settings, folder, version)


def _tell(name: str, folder: Path) -> None:
    from workers.inference.serving import read_serving  # noqa: PLC0415

    serving = read_serving(folder)
    trial = serving.canary
    on_trial = f"; version {trial.version} gets {trial.percent:g} % of the studies" if trial else ""
    typer.echo(f"{name}: version {serving.version} serves{on_trial}")


def _verified(settings: Settings, row: dict[str, Any], record: bool) -> dict[str, Any]:
    from imaging.errors import ModelMismatch  # noqa: PLC0415
    from workers.inference.installing import record_answer  # noqa: PLC0415
    from workers.inference.model import ModelUnavailable  # noqa: PLC0415
    from workers.inference.torchscript import TorchScriptModel  # noqa: PLC0415 - loads torch

    if row["state"] != "ok":
        return row
    folder, number = settings.models.repository / row["folder"], row["number"]
    try:
        model = TorchScriptModel(folder, threads=1, version=number)
        if record:
            record_answer(folder, number, model.known_answer)
        if row["serves"] and settings.models.backend != "embedded":
            _prove(settings, folder, number)
    except (ModelMismatch, ModelUnavailable) as error:
        return {**row, "state": str(error)}
    return row


def _rows(repository: Path) -> list[dict[str, Any]]:
    from service.model_rows import repository_rows  # noqa: PLC0415

    return [asdict(row) for row in repository_rows(repository)]
