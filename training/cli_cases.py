"""Commands that make cases and take in what others made: `prepare`, `export-cases`, imports."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from phantom.patient import BodyModelName
from training.experiment import load_experiment
from training.seeds import parse_seeds

EXPERIMENT = Path(__file__).parent / "experiments" / "anatomy.yaml"
Config = Annotated[Path, typer.Option("--config", "-c", help="The experiment's YAML file.")]
BodyModel = Annotated[
    BodyModelName, typer.Option(help="How the synthetic bodies are built; see docs/evaluation.md.")
]
PARTIAL = 4


def progress_bar(amount: ProgressColumn) -> Progress:
    """Return the bar that every command shows on stderr."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        amount,
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )


def prepare(
    config: Config = EXPERIMENT,
    seeds: Annotated[
        str | None, typer.Option(help="Seeds such as 1-150; the experiment's if left out.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = os.cpu_count() or 1,
    data: Annotated[
        Path | None,
        typer.Option(help="Your own: one folder of DICOM a study, or a dataset of nnU-Net v2."),
    ] = None,
    classes: Annotated[
        Path | None, typer.Option(help="YAML: your labels -> Osteon's; see docs/training.md.")
    ] = None,
    body_model: BodyModel = BodyModelName.BEADED,
) -> None:
    """Make cases and cache what the network will be given: synthetic ones, or your own (--data).

    Goes on where it was stopped. Seeds 1000-1019 and the body model "contoured" are kept for
    evaluation and refused.
    """
    from training.commands import prepare as run_prepare  # noqa: PLC0415 - keeps --help quick

    if data is not None:
        _prepare_data(config, data, classes, workers)
        return
    experiment = load_experiment(config)
    asked = seeds or f"{experiment.cohort.train_seeds},{experiment.cohort.validation_seeds}"
    with progress_bar(MofNCompleteColumn()) as bar:
        task = bar.add_task("preparing", total=len(parse_seeds(asked)))
        done = run_prepare(config, asked, workers, lambda _: bar.advance(task), body_model)
        bar.update(task, completed=done.asked)
    typer.echo(f"{done.made} cases made, {done.asked} in {done.folder}")


def export_cases(
    out: Annotated[Path, typer.Argument(help="The dataset's folder, such as Dataset001_Osteon.")],
    config: Config = EXPERIMENT,
) -> None:
    """Write the prepared cases as raw data of nnU-Net v2: imagesTr, labelsTr, dataset.json."""
    from training.commands import export_cases as run_export  # noqa: PLC0415

    typer.echo(f"{run_export(config, out)} cases in {out}")


def import_model(
    source: Annotated[
        Path, typer.Argument(help="A MONAI bundle, or a trained folder of nnU-Net v2.")
    ],
    plan: Annotated[
        Path, typer.Option("--map", help="YAML: channels and classes; see docs/training.md.")
    ],
    repository: Annotated[Path, typer.Option(help="Model repository.")] = Path("model_repository"),
    replace: Annotated[bool, typer.Option(help="Replace the model of that name.")] = False,
) -> None:
    """Bring a model that others trained into the repository (also: osteon models import).

    A model file is a program: import only what you trust.
    """
    from training.importing.command import import_model as run_import  # noqa: PLC0415

    done = run_import(source, plan, repository, replace=replace)
    typer.echo(f"{done.kind} → {done.folder}: {', '.join(done.classes)} (not evaluated)")


def _prepare_data(config: Path, data: Path, classes: Path | None, workers: int) -> None:
    from training.commands import prepare_data  # noqa: PLC0415

    with progress_bar(MofNCompleteColumn()) as bar:
        task = bar.add_task("preparing", total=None)

        def show(completed: int, total: int) -> None:
            bar.update(task, completed=completed, total=total)

        done, refused = prepare_data(config, data, classes, workers, show)
    for case in refused:
        typer.echo(f"{case.name}: [{case.code}] {case.reason}", err=True)
    typer.echo(f"{done.made} of {done.asked} cases in {done.folder}, split by patient")
    if refused:
        raise typer.Exit(PARTIAL)
