"""Runs of the stages in folders of their own, and the weights that a lesion network begins from."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from training.allocation import keep_freed_memory
from training.denormals import flush_denormals
from training.focal.cases import prepare_focal, read_focal, wanted
from training.focal.fit import fit_stage, read_weights
from training.focal.settings import load_focal, save_focal
from training.focal.stages import lesion_stage, skeleton_stage, ssl_stage
from training.records import MetricsWriter, environment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from torch import Tensor

    from training.cases import Case
    from training.fit import StepReport
    from training.focal.fit import Stage
    from training.focal.network import Loaded
    from training.focal.settings import FocalExperiment

    OnProgress = Callable[[str, float], None]

CHECKPOINT = "last.pt"
_INNER = "network."


def counter(stage: str, total: int, on_progress: OnProgress) -> Callable[[int], None]:
    """Return what hears of every thing done, of `total` in this stage."""
    done = 0

    def heard(_: int) -> None:
        nonlocal done
        done += 1
        on_progress(stage, done / max(total, 1))

    return heard


def fit_focal(
    config: Path, run: Path, workers: int, device: str, on_progress: OnProgress
) -> Loaded:
    """Make one lesion network from an experiment's YAML, as its switch `initialisation` says.

    Patients, pre-training and fine-tuning on all diseased patients; goes on where it was stopped.

    Raises:
        TrainingError: `EXPERIMENT`, a bad YAML; `CHECKPOINT`, the folder holds another run;
            `DEVICE`, there is no such device.

    """
    flush_denormals()
    experiment = replace(load_focal(config), device=device)
    healthy, diseased = wanted(experiment)
    heard = counter("making patients", len(healthy) + len(diseased), on_progress)
    prepare_focal(experiment, run / "cases", workers, heard)
    begin = pretrain(experiment, read_focal(healthy, run / "cases"), run, on_progress)
    cases = read_focal(diseased, run / "cases")
    return fine_tune(experiment, cases, begin, run / experiment.initialisation, on_progress)


def pretrain(
    experiment: FocalExperiment, healthy: Sequence[Case], out: Path, on_progress: OnProgress
) -> dict[str, Tensor]:
    """Return the weights of the experiment's initialisation; empty for "random"."""
    name = experiment.initialisation
    if name == "random":
        return {}
    stage = (skeleton_stage if name == "sap" else ssl_stage)(experiment, healthy)
    run = out / "pretraining" / name
    run_stage(stage, experiment, run, f"pre-training, {name}", on_progress)
    held = read_weights(run / CHECKPOINT)
    if name == "sap":
        return held
    return {n.removeprefix(_INNER): v for n, v in held.items() if n.startswith(_INNER)}


def fine_tune(
    experiment: FocalExperiment,
    cases: Sequence[Case],
    begin: dict[str, Tensor],
    run: Path,
    on_progress: OnProgress,
) -> Loaded:
    """Fit the lesion network on `cases` from the weights `begin`; return what came over."""
    stage, loaded = lesion_stage(experiment, cases, begin)
    title = f"lesions, {run.relative_to(run.parents[1])}"
    run.mkdir(parents=True, exist_ok=True)
    (run / "loaded.json").write_text(json.dumps(vars(loaded), indent=2) + "\n", encoding="utf-8")
    run_stage(stage, experiment, run, title, on_progress)
    return loaded


def run_stage(
    stage: Stage, experiment: FocalExperiment, run: Path, title: str, on_progress: OnProgress
) -> None:
    """Fit a stage in its folder: config.yaml, env.json, metrics.jsonl, TensorBoard, last.pt."""
    keep_freed_memory()
    run.mkdir(parents=True, exist_ok=True)
    save_focal(experiment, run / "config.yaml")
    (run / "env.json").write_text(json.dumps(environment(), indent=2) + "\n", encoding="utf-8")

    def show(report: StepReport) -> None:
        on_progress(f"{title}, loss {report.loss:.3f}", report.done)

    steps = fit_stage(stage, experiment, run / CHECKPOINT)
    with MetricsWriter(run, experiment.log_steps) as writer, closing(steps):
        for report in steps:
            writer.write(report)
            show(report)


def as_initialised(experiment: FocalExperiment, name: str) -> FocalExperiment:
    """Return the same experiment with its switch set to `name`."""
    return replace(experiment, initialisation=name)
