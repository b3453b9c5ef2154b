"""Cohorts of prepared cases in a folder: made in parallel, resumable, found again by seed."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from phantom.patient import BodyModelName
from training.body_models import refuse_held_out
from training.cases import read_case, write_case
from training.errors import TrainingError
from training.seeds import parse_seeds, refuse_test_seeds

if TYPE_CHECKING:
    from collections.abc import Callable

    from imaging.model import ModelSpec
    from training.cases import Case


@dataclass(frozen=True)
class Cohort:
    """A folder of prepared cases and how many of them are asked for."""

    folder: Path
    seeds: tuple[int, ...]

    def missing(self) -> tuple[int, ...]:
        """Seeds whose case is not there yet."""
        return tuple(s for s in self.seeds if not case_path(self.folder, s).exists())

    def read(self) -> list[Case]:
        """Read the cases that are there, in the order of their seeds.

        Raises:
            TrainingError: `NO_CASES`, none is there.

        """
        there = sorted(set(self.seeds) - set(self.missing()))
        if not there:
            message = f"no prepared case in {self.folder}: run `osteon train prepare` first"
            raise TrainingError(message, code="NO_CASES")
        return [read_case(case_path(self.folder, s)) for s in there]


def training_cohort(folder: Path, seeds: str) -> Cohort:
    """Return the cohort of a seed range such as "1-150".

    Raises:
        TrainingError: `TEST_SEEDS`, the range holds a seed that is kept for evaluation.

    """
    chosen = parse_seeds(seeds)
    refuse_test_seeds(chosen)
    return Cohort(folder, chosen)


def case_path(folder: Path, seed: int) -> Path:
    """Where the case of a seed lies."""
    return folder / f"phantom-{seed:05d}.npz"


@dataclass(frozen=True)
class Recipe:
    """How a case is made; `anatomy_model` is the folder that the task "disease" asks for."""

    spec: ModelSpec
    task: str = "anatomy"
    anatomy_model: Path = Path()
    body_model: BodyModelName = BodyModelName.BEADED


def prepare_cohort(
    cohort: Cohort, recipe: Recipe, workers: int, on_case: Callable[[int], None]
) -> int:
    """Make the cases that are missing; return how many were made.

    A case that is there is left alone, so a stopped run goes on where it was. `on_case` hears
    the seed of every case that was finished.

    Raises:
        TrainingError: `HELD_OUT_BODY`, the recipe's body model is kept for evaluation.

    """
    refuse_held_out(recipe.body_model)
    cohort.folder.mkdir(parents=True, exist_ok=True)
    missing = cohort.missing()
    if workers <= 1:
        for seed in missing:
            on_case(_make(cohort.folder, seed, recipe))
        return len(missing)
    with ProcessPoolExecutor(workers, get_context("spawn"), initializer=one_thread) as pool:
        futures = [pool.submit(_make, cohort.folder, seed, recipe) for seed in missing]
        for future in as_completed(futures):
            on_case(future.result())
    return len(missing)


def _make(folder: Path, seed: int, recipe: Recipe) -> int:
    # Reading and fitting need no phantom; only this does.
    from training.phantoms import disease_case, phantom_case  # noqa: PLC0415

    if recipe.task == "disease":
        case = disease_case(seed, recipe.spec, recipe.anatomy_model, recipe.body_model)
    else:
        case = phantom_case(seed, recipe.spec, recipe.body_model)
    write_case(case, case_path(folder, seed))
    return seed


def one_thread() -> None:
    """Keep a worker process to one thread: the processes share the processor already."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"):
        os.environ[name] = "1"
