"""Soft labels of a folder of cases: in parallel, resumable, the time of every scan kept."""

from __future__ import annotations

import json
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from functools import cache
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

from imaging.registration import RegistrationSettings
from training.atlas.propagation import prepare_atlas, probability_by_atlas
from training.atlas.records import (
    SoftRecord,
    is_current,
    read_record,
    record_path,
    soft_path,
    with_soft_labels,
    write_record,
)
from training.atlas.soft_labels import pack, write_soft_labels
from training.cases import read_case
from training.cohort import case_path, one_thread
from training.errors import TrainingError
from training.seeds import parse_seeds, refuse_test_seeds
from training.tasks import TASKS
from training.timing import timed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from training.atlas.propagation import Atlas
    from training.cases import Case
    from training.cohort import Cohort
    from training.experiment import AtlasSettings
    from training.timing import ScanTime

_CLASSES = len(TASKS["anatomy"].classes)


@dataclass(frozen=True)
class AtlasPlan:
    """Which cases are the atlases, and how they are registered."""

    folder: Path
    seeds: tuple[int, ...]
    registration: RegistrationSettings

    @property
    def recipe(self) -> dict[str, Any]:
        """What decides the soft labels, as JSON holds it."""
        values = {"atlas_seeds": self.seeds, "registration": asdict(self.registration)}
        recipe: dict[str, Any] = json.loads(json.dumps(values))
        return recipe

    def atlases(self) -> list[Atlas]:
        """Return the atlases, read once a process.

        Raises:
            TrainingError: `NO_CASES`, one of them is not prepared.

        """
        return list(_read_atlases(self))

    def refuse_missing(self, cohort: Cohort) -> None:
        """Every atlas and every scan must have been prepared.

        Raises:
            TrainingError: `NO_CASES`.

        """
        wanted = sorted({*self.seeds, *cohort.seeds})
        missing = [s for s in wanted if not case_path(self.folder, s).exists()]
        if missing:
            message = (
                f"{len(missing)} of the cases asked for are not in {self.folder}, the first is "
                f"seed {missing[0]}: run `osteon train prepare --seeds ...` first"
            )
            raise TrainingError(message, code="NO_CASES")


def atlas_plan(folder: Path, settings: AtlasSettings) -> AtlasPlan:
    """Return the plan of an experiment's atlases.

    Raises:
        TrainingError: `SEEDS`, no atlas is named; `TEST_SEEDS`, one is kept for evaluation.

    """
    seeds = parse_seeds(settings.seeds)
    refuse_test_seeds(seeds)
    registration = RegistrationSettings(
        settings.spacing_mm,
        settings.affine_iterations,
        settings.demons_iterations,
        settings.smoothing_voxels,
    )
    return AtlasPlan(folder, seeds, registration)


def label_cohort(
    plan: AtlasPlan, cohort: Cohort, workers: int, on_case: Callable[[int], None]
) -> int:
    """Make the soft labels that are missing or made by another recipe; return how many.

    A patient who is an atlas is never his own: the other atlases label him.

    Raises:
        TrainingError: `NO_CASES`, a scan or an atlas is not prepared.

    """
    plan.refuse_missing(cohort)
    missing = [s for s in cohort.seeds if not is_current(case_path(plan.folder, s), plan.recipe)]
    if workers <= 1:
        for seed in missing:
            on_case(_label(plan, seed))
        return len(missing)
    with ProcessPoolExecutor(workers, get_context("spawn"), initializer=one_thread) as pool:
        futures = [pool.submit(_label, plan, seed) for seed in missing]
        for future in as_completed(futures):
            on_case(future.result())
    return len(missing)


def scan_times(cohort: Cohort) -> list[ScanTime]:
    """Return what every labelled scan of the cohort took."""
    records = [record_path(case_path(cohort.folder, s)) for s in cohort.seeds]
    return [read_record(path).time for path in records if path.exists()]


def softened(plan: AtlasPlan, cases: list[Case]) -> list[Case]:
    """Return the cases with their soft labels.

    Raises:
        TrainingError: `SOFT_LABELS`, those of a case are missing or not of this plan.

    """
    paths = [plan.folder / f"{case.name}.npz" for case in cases]
    return [with_soft_labels(c, p, plan.recipe) for c, p in zip(cases, paths, strict=True)]


@cache
def _read_atlases(plan: AtlasPlan) -> tuple[Atlas, ...]:
    paths = [case_path(plan.folder, seed) for seed in plan.seeds]
    return tuple(prepare_atlas(read_case(path), plan.registration) for path in paths)


def _label(plan: AtlasPlan, seed: int) -> int:
    path = case_path(plan.folder, seed)
    case = read_case(path)
    others = [atlas for atlas in plan.atlases() if atlas.name != case.name]
    if not others:
        message = f"{case.name} is the only atlas, and nobody is his own: name more atlases"
        raise TrainingError(message, code="ATLASES")
    # From the model's input to the probabilities, as a network's time is taken.
    shares, time = timed(
        lambda: probability_by_atlas(case.model_input, others, plan.registration, _CLASSES)
    )
    write_soft_labels(pack(shares), soft_path(path))
    names = tuple(atlas.name for atlas in others)
    write_record(SoftRecord(plan.recipe, names, time), record_path(path))
    return seed
