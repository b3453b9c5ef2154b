"""What `osteon train atlas` does, without any printing of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from training.atlas.cohort import atlas_plan, label_cohort, phantom_names, scan_times
from training.experiment import load_experiment
from training.intake.splits import cohort_names

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from training.experiment import Experiment


@dataclass(frozen=True)
class Labelled:
    """How many scans were labelled now, of how many; median seconds of one over all of them."""

    made: int
    asked: int
    wall_s: float
    cpu_s: float


def label_by_atlas(
    config: Path,
    atlases: str | None,
    seeds: str | None,
    workers: int,
    on_case: Callable[[str], None],
) -> Labelled:
    """Make soft labels of an experiment's training scans.

    Args:
        config: the experiment's YAML.
        atlases: seeds of the labelled patients, in place of the experiment's own atlases.
        seeds: the scans, if not all that the experiment trains on.
        workers: processes.
        on_case: hears the name of every scan that was finished.

    Raises:
        TrainingError: `NO_CASES`, something is not prepared; `SEEDS`, `TEST_SEEDS`.

    """
    experiment = load_experiment(config)
    settings = experiment.atlas
    if atlases:
        settings = replace(settings, seeds=atlases, cases=())
    plan = atlas_plan(Path(experiment.cohort.folder), settings)
    scans = scans_to_label(experiment, seeds)
    made = label_cohort(plan, scans, workers, on_case)
    times = scan_times(plan, scans)
    wall, cpu = (float(np.median([getattr(t, n) for t in times])) for n in ("wall_s", "cpu_s"))
    return Labelled(made, len(scans), wall, cpu)


def scans_to_label(experiment: Experiment, seeds: str | None) -> Sequence[str]:
    """Return the names of `seeds`, or of what the experiment trains on, as `fit` chooses it.

    Raises:
        TrainingError: `NO_CASES`, there is none; `SEEDS`, `TEST_SEEDS`, `FOLDS`.

    """
    chosen = seeds or experiment.cohort.train_seeds
    if chosen:
        return phantom_names(chosen)
    return cohort_names(experiment.cohort, Path(experiment.cohort.folder))[0]
