"""From a run to a served model: Triton's layout, a declaration, a card; nothing without a gate."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from imaging.known_slab import KEY
from training.atlas.cohort import atlas_plan
from training.checkpoint import load_checkpoint, new_state
from training.declaration import write_declaration
from training.errors import TrainingError
from training.experiment import OF_ATLASES, load_experiment
from training.intake.splits import held_out_cases
from training.model_card import model_card
from training.precision import compare_precisions
from training.seeds import seeds_in_words
from training.served import check_served, freeze_network, known_answer, write_served
from training.tasks import TASKS
from training.triton import triton_config

if TYPE_CHECKING:
    from torch import nn

    from imaging.model import ModelSpec
    from training.cases import Case
    from training.experiment import Experiment
    from training.network import FoldedUNet
    from training.tasks import Task

LARGEST_MB = 25.0
_GATE_CASES = 2
_FILES = ("config.pbtxt", "MODEL_CARD.md", "1/model.pt", "osteon.json")


@dataclass(frozen=True)
class ExportReport:
    """What the gate measured; the last three as `training.precision.Precisions` has them."""

    folder: str
    sha256: str
    megabytes: float
    largest_difference: float
    dice_fp32: dict[str, float]
    dice_bf16: dict[str, float] | None
    volume_change_percent_bf16: dict[str, float] | None


@dataclass(frozen=True, eq=False)
class Finished:
    """A fitted network with what its export needs: `spec` without a digest, `gate_cases` unseen.

    `free` are further fields of `osteon.json`, "trained_on" among them.
    """

    network: nn.Module = field(repr=False)
    spec: ModelSpec
    task: Task
    gate_cases: list[Case] = field(repr=False)
    free: dict[str, Any] = field(repr=False)


def export_run(run: Path, repository: Path, evaluation: dict[str, Any] | None) -> ExportReport:
    """Write the averaged weights of `run` to `repository/<name>/`.

    Raises:
        TrainingError: `CHECKPOINT`; `EXPORT`, see `export_network`.

    """
    experiment = load_experiment(run / "config.yaml")
    network, trained_on = _trained(run, experiment)
    task, cases = TASKS[experiment.task], _gate_cases(experiment)
    free = {"trained_on": trained_on}
    finished = Finished(network, experiment.model_spec(), task, cases, free)
    return export_network(finished, repository, evaluation)


def export_network(
    finished: Finished, repository: Path, evaluation: dict[str, Any] | None
) -> ExportReport:
    """Write a fitted network to `repository/<name>/` as it is served.

    Raises:
        TrainingError: `EXPORT`, the file differs from the network, loses accuracy in bfloat16, is
            too large, or is not what was evaluated. The repository stays as it was.

    """
    staging = repository / f".{finished.spec.name}.staging"
    shutil.rmtree(staging, ignore_errors=True)
    file = staging / "1" / "model.pt"
    try:
        report = _write_and_check(finished, file)
        _refuse_foreign(evaluation, report)
        spec = replace(finished.spec, sha256=report.sha256)
        free = {
            "tool": {"name": "osteon train", "torch": torch.__version__.split("+")[0]},
            **finished.free,
            "export": _rounded(asdict(report)),
            "evaluation": evaluation or {},
            KEY: known_answer(file, spec),
        }
        (staging / "config.pbtxt").write_text(triton_config(spec), encoding="utf-8")
        (staging / "MODEL_CARD.md").write_text(model_card(spec, free), encoding="utf-8")
        write_declaration(spec, staging / "osteon.json", free)
        _publish(staging, repository / spec.name)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return report


def _trained(run: Path, experiment: Experiment) -> tuple[FoldedUNet, dict[str, Any]]:
    state = new_state(experiment)
    load_checkpoint(state, run / "checkpoints" / "last.pt")
    splits = json.loads((run / "splits.json").read_text(encoding="utf-8"))
    env = json.loads((run / "env.json").read_text(encoding="utf-8"))
    trained_on = {
        **_data(experiment, splits),
        "steps": state.step,
        "hours": round(state.elapsed_s / 3600, 2),
        "git_commit": env["git_commit"],
    }
    if experiment.labels in OF_ATLASES:
        n = len(atlas_plan(Path(experiment.cohort.folder), experiment.atlas).names)
        trained_on["labels"] = f"{experiment.labels}, by {n} atlases"
    if experiment.note:
        trained_on["note"] = experiment.note
    return state.average.eval(), trained_on


def _data(experiment: Experiment, splits: dict[str, list[str]]) -> dict[str, Any]:
    """Say what was trained on; of a user's cases the numbers only, no name."""
    counts = {"train_cases": len(splits["train"])}
    if not experiment.cohort.train_seeds:
        held_out = {"validation_cases": len(splits["validation"])}
        return {"data": "cases of the site that trained it", **counts, **held_out}
    return {
        "data": "synthetic patients (osteon phantom) only",
        **counts,
        "train_seeds": _seeds(splits["train"]),
        "validation_seeds": _seeds(splits["validation"]),
    }


def _seeds(names: list[str]) -> str:
    return seeds_in_words(tuple(sorted(int(name.rpartition("-")[2]) for name in names)))


def _write_and_check(finished: Finished, file: Path) -> ExportReport:
    spec, network = finished.spec, finished.network
    k, j, i = spec.divisor
    shapes = [(1, len(spec.channels), 2 * k, 3 * j, 2 * i), (1, len(spec.channels), k, 2 * j, i)]
    generator = torch.Generator().manual_seed(0)
    examples = [torch.rand(shape, generator=generator) for shape in shapes]
    write_served(freeze_network(network, examples[0]), file)
    megabytes = file.stat().st_size / 1e6
    if megabytes > LARGEST_MB:
        message = f"the file has {megabytes:.1f} MB, more than {LARGEST_MB:.0f}; use fewer filters"
        raise TrainingError(message, code="EXPORT")
    difference = check_served(file, network, examples)
    found = compare_precisions(file, spec, finished.gate_cases, finished.task)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return ExportReport(spec.name, digest, megabytes, difference, **asdict(found))


def _gate_cases(experiment: Experiment) -> list[Case]:
    return held_out_cases(experiment.cohort, Path(experiment.cohort.folder), _GATE_CASES)


def _refuse_foreign(evaluation: dict[str, Any] | None, report: ExportReport) -> None:
    """Keep another model's numbers off the card; equal runs export equal bytes."""
    if evaluation is not None and evaluation["model_sha256"] != report.sha256:
        message = "the evaluation was made with another model file; evaluate this export first"
        raise TrainingError(message, code="EXPORT")


def _publish(staging: Path, folder: Path) -> None:
    """Move the files into place; the declaration last, since it names the digest."""
    (folder / "1").mkdir(parents=True, exist_ok=True)
    for name in _FILES:
        (staging / name).replace(folder / name)


def _rounded(values: dict[str, Any]) -> dict[str, Any]:
    return {k: round(v, 7) if isinstance(v, float) else v for k, v in values.items()}
