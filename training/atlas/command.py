"""What `osteon train atlas` does, without any printing of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from training.atlas.cohort import atlas_plan, label_cohort, scan_times
from training.cohort import training_cohort
from training.experiment import load_experiment

if TYPE_CHECKING:
    from collections.abc import Callable


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
    on_case: Callable[[int], None],
) -> Labelled:
    """Make soft labels of an experiment's training scans.

    Args:
        config: the experiment's YAML.
        atlases: seeds of the labelled patients, if not the experiment's own.
        seeds: the scans, if not all that the experiment trains on.
        workers: processes.
        on_case: hears the seed of every scan that was finished.

    Raises:
        TrainingError: `NO_CASES`, something is not prepared; `SEEDS`, `TEST_SEEDS`.

    """
    experiment = load_experiment(config)
    settings = replace(experiment.atlas, seeds=atlases or experiment.atlas.seeds)
    folder = Path(experiment.cohort.folder)
    cohort = training_cohort(folder, seeds or experiment.cohort.train_seeds)
    made = label_cohort(atlas_plan(folder, settings), cohort, workers, on_case)
    times = scan_times(cohort)
    wall, cpu = (float(np.median([getattr(t, n) for t in times])) for n in ("wall_s", "cpu_s"))
    return Labelled(made, len(cohort.seeds), wall, cpu)
