"""The focal table from nothing: patients, pre-training, folds of fine-tuning, scores."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from training.denormals import flush_denormals
from training.errors import TrainingError
from training.focal.cases import (
    fold_cases,
    prepare_focal,
    read_focal,
    skeleton_patients,
    wanted,
)
from training.focal.evaluation import assess, lesion_probability, skeleton_dice
from training.focal.fit import fitted_seconds
from training.focal.planted import planted_path, read_planted
from training.focal.pretraining import (
    CHECKPOINT,
    as_initialised,
    counter,
    fine_tune,
    pretrain,
)
from training.focal.settings import INITIALISATIONS, load_focal, save_focal
from training.focal.stages import lesion_network, skeleton_network
from training.focal.table import Outcome, focal_table
from training.folds import stratified_folds

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from training.cases import Case
    from training.focal.settings import FocalExperiment
    from training.folds import Folds

    OnProgress = Callable[[str, float], None]

_CONFIG = "experiment.yaml"


def reproduce_focal(config: Path, out: Path, workers: int, on_progress: OnProgress) -> str:
    """Make everything of the focal table in `out`; return the table as Markdown.

    The YAML's `initialisation` is not used here: all three are made, from the same cases, folds
    and seed. A stopped run goes on where it was.

    Args:
        config: the experiment.
        out: also gets `focal.md` and `focal.json`.
        workers: processes that make patients; networks are fitted one by one.
        on_progress: hears the stage and how much of it is done, 0 to 1.

    Raises:
        TrainingError: `REPRODUCTION`, `out` holds another experiment; `EXPERIMENT`, a bad YAML.

    """
    flush_denormals()
    experiment = _begin(load_focal(config), out)
    healthy, diseased = wanted(experiment)
    n = len(healthy) + len(diseased) + len(skeleton_patients(experiment))
    heard = counter("making patients", n, on_progress)
    prepare_focal(experiment, out / "cases", workers, heard)
    cases = read_focal(diseased, out / "cases")
    folds = stratified_folds(fold_cases(cases), experiment.cohort.folds, experiment.seed)
    found = {}
    for name in INITIALISATIONS:
        setting = as_initialised(experiment, name)
        begin = pretrain(setting, read_focal(healthy, out / "cases"), out, on_progress)
        for fold in range(folds.n):
            _fit_fold(setting, _fold(cases, folds, fold, out), begin, on_progress)
        probabilities = [_read(_path(out, name, case)) for case in cases]
        found[name] = assess(cases, probabilities, folds, f"focal network, {name}")
    planted = read_planted([planted_path(w.path(out / "cases")) for w in diseased])
    table = focal_table(
        experiment, Outcome(found, planted, _skeleton(experiment, out), _minutes(out))
    )
    (out / "focal.md").write_text(table, encoding="utf-8")
    document = {name: asdict(assessed) for name, assessed in found.items()}
    (out / "focal.json").write_text(json.dumps(document) + "\n", encoding="utf-8")
    return table


def _skeleton(experiment: FocalExperiment, out: Path) -> dict[str, list[float]]:
    """Score SAP's pre-training on people whom it never saw, once."""
    path = out / "pretraining" / "sap" / "skeleton.json"
    if not path.exists():
        cases = read_focal(skeleton_patients(experiment), out / "cases")
        network = skeleton_network(experiment, path.with_name(CHECKPOINT))
        scores = skeleton_dice(network, cases, experiment)
        path.write_text(json.dumps(scores) + "\n", encoding="utf-8")
    held: dict[str, list[float]] = json.loads(path.read_text(encoding="utf-8"))
    return held


@dataclass(frozen=True, eq=False)
class _Fold:
    number: int
    trained_on: list[Case]
    held_out: list[Case]
    out: Path


def _fold(cases: list[Case], folds: Folds, number: int, out: Path) -> _Fold:
    of = folds.fold_of
    kept = [c for c in cases if of[c.name] != number]
    return _Fold(number, kept, [c for c in cases if of[c.name] == number], out)


def _begin(experiment: FocalExperiment, out: Path) -> FocalExperiment:
    """Keep the experiment's YAML in `out`."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / _CONFIG
    if path.exists() and load_focal(path) != experiment:
        message = f"{out} holds another experiment; name another folder, or delete this one"
        raise TrainingError(message, code="REPRODUCTION")
    save_focal(experiment, path)
    return experiment


def _fit_fold(
    experiment: FocalExperiment, fold: _Fold, begin: dict[str, Tensor], on_progress: OnProgress
) -> None:
    """Fit the network of one fold and predict the patients whom it never saw."""
    name = experiment.initialisation
    missing = [c for c in fold.held_out if not _path(fold.out, name, c).exists()]
    if not missing:
        return
    run = fold.out / name / f"fold-{fold.number}"
    fine_tune(experiment, fold.trained_on, begin, run, on_progress)
    network = lesion_network(experiment, run / CHECKPOINT)
    heard = counter(f"predicting, {name}", len(missing), on_progress)
    for n, case in enumerate(missing):
        _write(_path(fold.out, name, case), lesion_probability(network, case, experiment))
        heard(n)


def _path(out: Path, name: str, case: Case) -> Path:
    return out / name / "predictions" / f"{case.name}.npz"


def _write(path: Path, probability: NDArray[np.float32]) -> None:
    """Write under the final name in one step: a reader never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.partial")
    with partial.open("wb") as file:
        np.savez_compressed(file, probability=probability.astype(np.float16))
    partial.replace(path)


def _read(path: Path) -> NDArray[np.float32]:
    with np.load(path) as arrays:
        probability: NDArray[np.float32] = arrays["probability"].astype(np.float32)
    return probability


def _minutes(out: Path) -> dict[str, float]:
    """Return what pre-training took, from the checkpoints."""
    return {
        name: fitted_seconds(out / "pretraining" / name / CHECKPOINT) / 60
        for name in INITIALISATIONS
        if name != "random"
    }
