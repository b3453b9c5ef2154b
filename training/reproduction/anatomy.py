"""The anatomy table (Candito et al.): soft labels by atlas, networks trained on them, all scored.

One network learns the atlases' shares, the other the most probable class of the same shares.
Nothing is taken from elsewhere: patients, soft labels, networks and scores are made here, and a
stopped run goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import cache
from multiprocessing import get_context
from typing import TYPE_CHECKING

import torch

from training.atlas.cohort import atlas_plan, label_cohort, phantom_names
from training.checkpoint import load_checkpoint, new_state
from training.cohort import Recipe, one_thread, prepare_cohort, training_cohort
from training.commands import CHECKPOINT
from training.errors import TrainingError
from training.experiment import load_experiment, save_experiment
from training.inference import eager_predictor, has_bf16
from training.reproduction.anatomy_table import ATLAS, NETWORKS, anatomy_table
from training.reproduction.networks import fit_networks, run_of
from training.reproduction.scans import (
    atlas_method,
    measure_scan,
    network_method,
    read_scan,
    write_scan,
)
from training.seeds import parse_seeds

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from training.experiment import Experiment
    from training.reproduction.scans import Method, ScanResult

    OnProgress = Callable[[str, float], None]

_CONFIG = "experiment.yaml"


def reproduce_anatomy(config: Path, out: Path, workers: int, on_progress: OnProgress) -> str:
    """Make everything of the anatomy table in `out`; return the table as Markdown.

    Args:
        config: an experiment with soft labels; its cases go to `out`, not to its own folder.
        out: also gets `anatomy.md` and `scans/`, one JSON a scan.
        workers: processes that make patients, register atlases and train; scans are measured one
            by one.
        on_progress: hears the stage and how much of it is done, 0 to 1.

    Raises:
        TrainingError: `REPRODUCTION`, `out` holds another experiment, or patients that are
            measured are trained on too; `EXPERIMENT`, a bad YAML.

    """
    experiment = _begin(load_experiment(config), out)
    atlases = atlas_plan(out / "cases", experiment.atlas)
    _prepare(experiment, out, workers, on_progress)
    scans = phantom_names(experiment.cohort.train_seeds)
    heard = _counter("soft labels by atlas", len(scans), on_progress)
    label_cohort(atlases, scans, workers, heard)

    fit_networks(experiment, tuple(NETWORKS), out, workers, on_progress)
    results = _measure(experiment, out, on_progress)
    table = anatomy_table(experiment, results)
    (out / "anatomy.md").write_text(table, encoding="utf-8")
    return table


def _begin(experiment: Experiment, out: Path) -> Experiment:
    """Put the experiment's folder into `out`, and keep it there."""
    cohort = replace(experiment.cohort, folder=str(out / "cases"))
    experiment = replace(experiment, cohort=cohort)
    measured = parse_seeds(cohort.evaluation_seeds)
    seen = (cohort.train_seeds, cohort.validation_seeds, experiment.atlas.seeds)
    shared = sorted(set(measured).intersection(*[{s for t in seen for s in parse_seeds(t)}]))
    if shared or experiment.labels != "soft":
        said = f"seeds {shared} are trained on" if shared else "its labels are not soft"
        message = f"the experiment cannot be measured: {said}; correct its YAML"
        raise TrainingError(message, code="REPRODUCTION")
    out.mkdir(parents=True, exist_ok=True)
    path = out / _CONFIG
    if path.exists() and load_experiment(path) != experiment:
        message = f"{out} holds another experiment; name another folder, or delete this one"
        raise TrainingError(message, code="REPRODUCTION")
    save_experiment(experiment, path)
    return experiment


def _prepare(experiment: Experiment, out: Path, workers: int, on_progress: OnProgress) -> None:
    cohort = experiment.cohort
    seeds = f"{experiment.atlas.seeds},{cohort.train_seeds},{cohort.validation_seeds}"
    patients = training_cohort(out / "cases", seeds)
    heard = _counter("making patients", len(patients.missing()), on_progress)
    prepare_cohort(patients, Recipe(experiment.model_spec()), workers, heard)


def _measure(experiment: Experiment, out: Path, on_progress: OnProgress) -> list[ScanResult]:
    """Measure the held-out scans one after another, in a process that has one thread."""
    seeds = parse_seeds(experiment.cohort.evaluation_seeds)
    heard = _counter("measuring all", len(seeds), on_progress)
    results = []
    with ProcessPoolExecutor(1, get_context("spawn"), initializer=one_thread) as pool:
        for seed in seeds:
            results.append(pool.submit(_measured, out, seed).result())
            heard(seed)
    return results


def _measured(out: Path, seed: int) -> ScanResult:
    # Training and reading need no phantom; only this does.
    from phantom.acquisition import acquire  # noqa: PLC0415
    from phantom.patient import make_patient  # noqa: PLC0415

    torch.set_num_threads(1)
    experiment, methods, made_by = _methods(out)
    name = f"phantom-{seed:05d}"
    path = out / "scans" / f"{name}.json"
    if path.exists() and (found := read_scan(path)).made_by == made_by:
        return found
    acquisition = acquire(make_patient(seed))
    result = measure_scan(name, made_by, acquisition, experiment.model_spec(), methods)
    write_scan(result, path)
    return result


@cache
def _methods(out: Path) -> tuple[Experiment, dict[str, Method], str]:
    """Return what answers, once a process, and a digest of it."""
    experiment = load_experiment(out / _CONFIG)
    plan = atlas_plan(out / "cases", experiment.atlas)
    digest = hashlib.sha256(json.dumps(plan.recipe).encode())
    methods = {ATLAS: atlas_method(plan.atlases(), plan.registration)}
    for labels, title in NETWORKS.items():
        state = new_state(experiment)
        load_checkpoint(state, run_of(out, labels) / CHECKPOINT)
        for values in state.average.state_dict().values():
            digest.update(values.numpy().tobytes())
        predict = eager_predictor(state.average, bf16=has_bf16())
        methods[title] = network_method(predict, experiment.model_spec())
    return experiment, methods, digest.hexdigest()[:16]


def _counter(stage: str, total: int, on_progress: OnProgress) -> Callable[[object], None]:
    done = 0
    on_progress(stage, 0.0)

    def heard(case: object) -> None:
        nonlocal done
        del case
        done += 1
        on_progress(stage, done / total)

    return heard
