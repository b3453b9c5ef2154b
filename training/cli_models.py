"""Commands on a model that is exported already: `threshold`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import MofNCompleteColumn

from training.cli_cases import progress_bar
from training.seeds import parse_seeds


def threshold(
    seeds: Annotated[str, typer.Option(help="Phantom seeds that it was not trained on.")],
    model: Annotated[
        Path, typer.Argument(help="A disease network; an anatomy network stands beside it.")
    ] = Path("model_repository/disease"),
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = os.cpu_count() or 1,
) -> None:
    """Choose the probability from which on a voxel is disease, and serve the model with it.

    Every patient goes through the whole path once. Evaluate the model afterwards, on others.
    """
    from training.disease_threshold import choose_threshold  # noqa: PLC0415 - torch loads slowly

    chosen = parse_seeds(seeds)
    with progress_bar(MofNCompleteColumn()) as bar:
        task = bar.add_task("choosing", total=len(chosen))
        table = choose_threshold(
            model, chosen, workers, lambda done: bar.update(task, completed=done)
        )
    typer.echo(table)
