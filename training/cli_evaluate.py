"""Commands that measure: `evaluate`, `evaluate-data`, `pool`, `compare`, `readers`, `reproduce`."""

from __future__ import annotations

import os
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import MofNCompleteColumn, TaskProgressColumn

from phantom.patient import BodyModelName
from training.cli_cases import PARTIAL, BodyModel, progress_bar
from training.seeds import parse_seeds

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


def evaluate(
    model: Annotated[Path, typer.Argument(help="A folder with osteon.json and 1/model.pt.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the results.")],
    seeds: Annotated[str, typer.Option(help="Phantom seeds.")] = "1000-1019",
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    body_model: BodyModel = BodyModelName.BEADED,
) -> None:
    """Measure a model on synthetic patients through the whole path and print the table.

    Writes one JSON a case (a stopped evaluation goes on), evaluation.json, evaluation.md, plots.
    """
    from training.commands import evaluate as run_evaluate  # noqa: PLC0415

    with progress_bar(MofNCompleteColumn()) as bar:
        task = bar.add_task("evaluating", total=len(parse_seeds(seeds)))
        table = run_evaluate(model, seeds, out, workers, lambda _: bar.advance(task), body_model)
    typer.echo(table)


def evaluate_data(
    model: Annotated[Path, typer.Argument(help="A folder with osteon.json and 1/model.pt.")],
    data: Annotated[Path, typer.Option(help="Your exams, as `prepare --data` takes them.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the results.")],
    classes: Annotated[Path | None, typer.Option(help="YAML: your labels -> Osteon's.")] = None,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="Only what this experiment holds out.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
) -> None:
    """Measure a model on your own labelled exams: the same path, tables and files.

    With a run's config.yaml the exams of patients whom it was not trained on; without one all.
    """
    from training.own_commands import evaluate_data as run_evaluate  # noqa: PLC0415
    from training.own_exams import OwnData  # noqa: PLC0415

    with progress_bar(MofNCompleteColumn()) as bar:
        task = bar.add_task("evaluating", total=None)

        def show(completed: int, total: int) -> None:
            bar.update(task, completed=completed, total=total)

        found = run_evaluate(model, OwnData(data, classes, config), out, workers, show)
    typer.echo(found.table)
    if found.left_out:
        typer.echo(f"never labelled, so not scored: {', '.join(found.left_out)}", err=True)
    for case in found.refused:
        typer.echo(f"{case.name}: [{case.code}] {case.reason}", err=True)
    if found.refused:
        raise typer.Exit(PARTIAL)


def pool(
    evaluations: Annotated[list[Path], typer.Argument(help="Folders that `evaluate` wrote.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the results.")],
) -> None:
    """Put the evaluations of all folds into one set of tables; no exam may stand in two."""
    from training.own_commands import pool as run_pool  # noqa: PLC0415

    typer.echo(run_pool(evaluations, out))


def compare(
    evaluations: Annotated[list[Path], typer.Argument(help="Folders that `evaluate` wrote.")],
) -> None:
    """Test whether models differ: Wilcoxon by patient, Mann-Whitney by lesion, Bonferroni."""
    from training.commands import compare as run_compare  # noqa: PLC0415

    typer.echo(run_compare(evaluations))


def readers(
    grades: Annotated[Path, typer.Argument(help="CSV: exam, structure, reader, grade.")],
) -> None:
    """Print a reader study: grades from poor to excellent, and Gwet's AC1 by structure."""
    from training.assessment.readers import read_grades, reader_table  # noqa: PLC0415

    typer.echo(reader_table(read_grades(grades)))


def reproduce(
    table: Annotated[str, typer.Argument(help="Which paper's table: anatomy, focal.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for everything that is made.")],
    preset: Annotated[str, typer.Option(help="small (20 minutes) or full (hours).")] = "small",
    config: Annotated[Path | None, typer.Option("-c", help="A YAML in place of a preset.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = os.cpu_count() or 1,
) -> None:
    """Print a paper's table from scratch on synthetic patients, with fixed seeds.

    Goes on where it was stopped.
    """
    from training.reproduction.tables import reproduce_table  # noqa: PLC0415

    with progress_bar(TaskProgressColumn()) as bar:
        text = reproduce_table(table, config or preset, out, workers, Stages(bar).show)
    typer.echo(text)


class Stages:
    """A line for every stage, since the time that is left of one says nothing of another."""

    def __init__(self, bar: Progress) -> None:
        """Take the bar that the lines belong to."""
        self._bar = bar
        self._name = ""
        self._line: TaskID | None = None

    def show(self, stage: str, done: float) -> None:
        """Show how much of a stage is done, 0 to 1; a loss at its end is no part of its name."""
        name = stage.partition(", loss")[0]
        if self._line is None or name != self._name:
            self._finish()
            self._name, self._line = name, self._bar.add_task(stage, total=1000)
        self._bar.update(self._line, description=stage, completed=1000 * done)

    def _finish(self) -> None:
        if self._line is not None:
            self._bar.update(self._line, completed=1000)
            self._bar.stop_task(self._line)
