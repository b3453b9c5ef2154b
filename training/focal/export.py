"""From a focal run to a served model: the same folder, gate and card as every network's."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from imaging.agreement import dice
from imaging.focal_lesions import FOCAL_CLASSES, THRESHOLD
from training.errors import TrainingError
from training.export import Finished, export_network
from training.focal.cases import (
    FOCAL_TEST_SEEDS,
    read_focal,
    skeleton_patients,
    validation_patients,
)
from training.focal.evaluation import skeleton_dice
from training.focal.fit import fitted_seconds
from training.focal.pretraining import CHECKPOINT
from training.focal.settings import load_focal
from training.focal.stages import lesion_network, skeleton_network
from training.focal.threshold import choose_on
from training.inference import eager_predictor
from training.seeds import seeds_in_words
from training.tasks import Task

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray
    from torch import nn

    from imaging.model import ModelSpec
    from training.export import ExportReport
    from training.focal.settings import FocalExperiment

_SLAB_SLICES, _SLAB_OVERLAP = 96, 16


def lesion_scores(truth: NDArray[np.uint8], answer: NDArray[np.uint8]) -> dict[str, float]:
    """Dice of the lesion mask; 1 where neither holds a lesion."""
    if not truth.any() and not answer.any():
        return {"lesion": 1.0}
    return {"lesion": dice(truth, answer)}


FOCAL_TASK = Task(FOCAL_CLASSES, {"lesion": (1,)}, lesion_scores)


def export_focal(run: Path, repository: Path, evaluation: dict[str, Any] | None) -> ExportReport:
    """Write the lesion network of `run` (as `osteon train focal` left it) to `repository`.

    Its threshold is chosen on the experiment's validation patients, whose cases the run holds.

    Raises:
        TrainingError: `CHECKPOINT`, no stage of this run is finished; `NO_CASES`, there are no
            validation patients; `EXPORT`, see `training.export.export_network`.

    """
    stage = _lesion_run(run)
    experiment = load_focal(stage / "config.yaml")
    network = lesion_network(experiment, stage / CHECKPOINT).cpu().eval()
    cases = read_focal(validation_patients(experiment), run / "cases")
    spec = _in_slabs(experiment.model_spec(), experiment)
    chosen = choose_on(cases, eager_predictor(network, bf16=False), spec)
    spec = replace(spec, thresholds={THRESHOLD: chosen.pop(THRESHOLD)})
    free = {"trained_on": _trained_on(experiment, run, stage, network), "threshold": chosen}
    # All of them: a patient's lesions are a hundred voxels, and two of those are no change.
    finished = Finished(network, spec, FOCAL_TASK, cases, free)
    return export_network(finished, repository, evaluation)


def _in_slabs(spec: ModelSpec, experiment: FocalExperiment) -> ModelSpec:
    """Serve a network of convolutions in few, large slabs; attention keeps its patch's length."""
    if experiment.network.kind != "residual_unet":
        return spec
    return replace(spec, slab_slices=_SLAB_SLICES, slab_overlap=_SLAB_OVERLAP)


def is_focal(run: Path) -> bool:
    """Whether a run's folder is one that `osteon train focal` made."""
    return not (run / "config.yaml").exists() and bool(_stages(run))


def _stages(run: Path) -> list[Path]:
    found = (path.parent for path in run.glob(f"*/{CHECKPOINT}"))
    return [p for p in found if (p / "loaded.json").exists()]


def _lesion_run(run: Path) -> Path:
    stages = _stages(run)
    if len(stages) != 1:
        message = f"{run} holds {len(stages)} lesion networks; one is exported: name its run"
        raise TrainingError(message, code="CHECKPOINT")
    return stages[0]


def _trained_on(
    experiment: FocalExperiment, run: Path, stage: Path, network: nn.Module
) -> dict[str, Any]:
    env = json.loads((stage / "env.json").read_text(encoding="utf-8"))
    cohort = experiment.cohort
    told = {
        "data": "synthetic patients (osteon phantom) only, focal disease, T1 and diffusion",
        "initialisation": experiment.initialisation,
        "pretraining_seeds": f"{cohort.healthy_seeds} (healthy)",
        "train_seeds": cohort.diseased_seeds,
        "validation_seeds": cohort.validation_seeds,
        "kept_for_evaluation": seeds_in_words(tuple(FOCAL_TEST_SEEDS)),
        "epochs": experiment.lesions.stage.epochs,
        "parameters": sum(p.numel() for p in network.parameters()),
        "hours": round(fitted_seconds(stage / CHECKPOINT) / 3600, 2),
        "git_commit": env["git_commit"],
        "uncommitted_files": env.get("uncommitted_files", 0),
    }
    before = run / "pretraining" / experiment.initialisation / CHECKPOINT
    if before.exists():
        told["hours_of_pretraining"] = round(fitted_seconds(before) / 3600, 2)
        told |= _skeleton(experiment, run, before)
    return told


def _skeleton(experiment: FocalExperiment, run: Path, before: Path) -> dict[str, str]:
    """Say what SAP's pre-training knows of people who were not fitted; nothing where none are."""
    people = skeleton_patients(experiment) if experiment.initialisation == "sap" else []
    if not people:
        return {}
    network = skeleton_network(experiment, before)
    found = skeleton_dice(network, read_focal(people, run / "cases"), experiment)
    means = {name: math.fsum(values) / len(values) for name, values in found.items()}
    words = ", ".join(f"{name} {mean:.2f}" for name, mean in means.items())
    seeds = experiment.cohort.skeleton_seeds
    return {"skeleton_dice": f"{words}; {len(people)} healthy people not fitted, seeds {seeds}"}
