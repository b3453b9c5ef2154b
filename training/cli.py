"""Commands for people: `python -m training` (also reached as `osteon train`)."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import MofNCompleteColumn, TaskProgressColumn

from training import cli_cases, cli_evaluate, cli_models
from training.cli_cases import EXPERIMENT, Config, progress_bar
from training.errors import TrainingError
from training.experiment import load_experiment

if TYPE_CHECKING:
    from types import FrameType

    from training.fit import StepReport

FOCAL = Path(__file__).parent / "experiments" / "reproduce_focal_small.yaml"

app = typer.Typer(
    name="train",
    help="Make models: prepare cases, fit, evaluate on patients never seen, export.",
    no_args_is_help=True,
    add_completion=False,
)
app.command()(cli_cases.prepare)
app.command("export-cases")(cli_cases.export_cases)
app.command("import-model")(cli_cases.import_model)
for _measure in (
    cli_evaluate.evaluate,
    cli_evaluate.evaluate_data,
    cli_evaluate.pool,
    cli_evaluate.compare,
    cli_evaluate.readers,
    cli_evaluate.reproduce,
):
    app.command()(_measure)
app.command()(cli_models.threshold)
_stderr = Console(stderr=True)


@app.command()
def atlas(
    config: Config = EXPERIMENT,
    atlases: Annotated[
        str | None,
        typer.Option(help="Seeds of the labelled patients; the experiment's if left out."),
    ] = None,
    seeds: Annotated[
        str | None, typer.Option(help="Scans to label; what the experiment trains on if left out.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = os.cpu_count() or 1,
) -> None:
    """Make soft labels: register labelled patients to every scan, carry their labels, average.

    Goes on where it was stopped. An experiment with `labels: soft` is trained on them.
    """
    from training.atlas.command import label_by_atlas, scans_to_label  # noqa: PLC0415

    scans = scans_to_label(load_experiment(config), seeds)
    with progress_bar(MofNCompleteColumn()) as bar:
        task = bar.add_task("registering", total=len(scans))
        done = label_by_atlas(config, atlases, seeds, workers, lambda _: bar.advance(task))
        bar.update(task, completed=done.asked)
    times = f"{done.wall_s:.1f} s on the clock, {done.cpu_s:.1f} s of one processor"
    typer.echo(f"{done.made} of {done.asked} scans labelled now; one takes {times} (median)")


@app.command()
def fit(
    run: Annotated[Path, typer.Argument(help="The run's folder, for example runs/anatomy-1.")],
    config: Config = EXPERIMENT,
    max_minutes: Annotated[
        float | None, typer.Option(help="End after this long; the schedule is fitted to it.")
    ] = None,
    resume: Annotated[bool, typer.Option(help="Go on from the run's last checkpoint.")] = True,
    device: Annotated[str, typer.Option(help="auto (cuda where it is), cpu, cuda:0.")] = "auto",
    fold: Annotated[
        str | None, typer.Option(help="2/5: hold out the second of five parts of your patients.")
    ] = None,
) -> None:
    """Train the network; Ctrl-C or SIGTERM writes a checkpoint, the same command goes on.

    Leaves config.yaml, splits.json, metrics.jsonl, TensorBoard events and a checkpoint in RUN.
    """
    from training.commands import fit as run_fit  # noqa: PLC0415 - torch takes seconds to load
    from training.own_commands import with_fold  # noqa: PLC0415

    config = with_fold(config, fold, run) if fold else config
    signal.signal(signal.SIGTERM, _interrupt)
    with progress_bar(TaskProgressColumn()) as bar:
        task = bar.add_task("loading", total=1000)

        def show(report: StepReport) -> None:
            text = f"step {report.step}  loss {report.loss:.3f}"
            bar.update(task, completed=1000 * report.done, description=text)
            if report.validation:
                bar.console.print(_in_words(report.step, report.validation), soft_wrap=True)

        last = run_fit(config, run, max_minutes, resume, show, device)
    typer.echo(f"{run}: step {last.step}" if last else f"{run}: nothing left to do")


@app.command()
def export(
    run: Annotated[Path, typer.Argument(help="The run's folder.")],
    repository: Annotated[Path, typer.Argument(help="Model repository.")] = Path(
        "model_repository"
    ),
    evaluation: Annotated[
        Path | None, typer.Option(help="Folder of an evaluation, for the model card.")
    ] = None,
) -> None:
    """Write the run's weights as a served model: TorchScript, declaration, card.

    RUN is what `fit` or `focal` left.

    The exported file must answer as the network does, and bfloat16 as float32, or nothing
    is written. Run it again after `evaluate` to put the table into the model card.
    """
    from training.commands import export as run_export  # noqa: PLC0415

    report = run_export(run, repository, evaluation)
    typer.echo(json.dumps(report, indent=2))


@app.command()
def card(
    model: Annotated[Path, typer.Argument(help="A folder with osteon.json and 1/model.pt.")],
    evaluation: Annotated[Path, typer.Option(help="A folder that `evaluate` wrote.")],
) -> None:
    """Put a new evaluation into a model's card and declaration; its file stays as it is."""
    from training.assessment.files import read_declared  # noqa: PLC0415
    from training.card import renew_card  # noqa: PLC0415

    renew_card(model, read_declared(evaluation))
    typer.echo(f"{model}/MODEL_CARD.md")


@app.command()
def focal(
    run: Annotated[Path, typer.Argument(help="The run's folder, for example runs/focal-1.")],
    config: Annotated[Path, typer.Option("--config", "-c", help="The YAML file.")] = FOCAL,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = os.cpu_count() or 1,
) -> None:
    """Make one focal-lesion network, from what the YAML's switch `initialisation` says.

    Synthetic patients, pre-training (sap: skeletons, ssl: no labels, random: none), fine-tuning.
    Ctrl-C or SIGTERM writes a checkpoint, the same command goes on.
    """
    from training.focal.pretraining import fit_focal  # noqa: PLC0415

    signal.signal(signal.SIGTERM, _interrupt)
    with progress_bar(TaskProgressColumn()) as bar:
        task = bar.add_task("starting", total=1000)

        def show(stage: str, done: float) -> None:
            bar.update(task, description=stage, completed=1000 * done)

        loaded = fit_focal(config, run, workers, device, show)
    typer.echo(f"{run}: {loaded.in_words()}")


def main() -> None:
    """Run a command; a known error is one sentence on stderr and exit status 1."""
    try:
        app(prog_name="osteon train")
    except TrainingError as error:
        _stderr.print(f"[{error.code}] {error}", markup=False, style="red")
        sys.exit(1)


def _in_words(step: int, scores: dict[str, float]) -> str:
    groups = ("skeleton", "skeleton_without_ribs", "organs", "spinal_canal")
    parts = [f"{name} {scores[name]:.3f}" for name in groups if name in scores]
    return f"step {step}: validation Dice " + ", ".join(parts)


def _interrupt(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise KeyboardInterrupt
