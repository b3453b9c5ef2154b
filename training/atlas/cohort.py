"""Soft labels of a folder of cases: in parallel, resumable, the time of every scan kept."""

from __future__ import annotations

import json
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from functools import cache
from multiprocessing import get_context
from pathlib import Path
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
    from collections.abc import Callable, Sequence

    from training.atlas.propagation import Atlas
    from training.cases import Case
    from training.experiment import AtlasSettings
    from training.timing import ScanTime

_CLASSES = len(TASKS["anatomy"].classes)


@dataclass(frozen=True)
class AtlasPlan:
    """Which cases are the atlases, and how they are registered."""

    folder: Path
    names: tuple[str, ...]
    registration: RegistrationSettings

    @property
    def recipe(self) -> dict[str, Any]:
        """What decides the soft labels, as JSON holds it."""
        values = {"atlases": self.names, "registration": asdict(self.registration)}
        recipe: dict[str, Any] = json.loads(json.dumps(values))
        return recipe

    def atlases(self) -> list[Atlas]:
        """Return the atlases, read once a process.

        Raises:
            TrainingError: `NO_CASES`, one of them is not prepared.

        """
        return list(_read_atlases(self))

    def path(self, name: str) -> Path:
        """Where a case of the folder lies."""
        return self.folder / f"{name}.npz"

    def refuse_missing(self, scans: Sequence[str]) -> None:
        """Every atlas and every scan must have been prepared.

        Raises:
            TrainingError: `NO_CASES`.

        """
        wanted = sorted({*self.names, *scans})
        missing = [name for name in wanted if not self.path(name).exists()]
        if missing:
            message = (
                f"{len(missing)} of the cases asked for are not in {self.folder}, the first is "
                f"{missing[0]}: run `osteon train prepare --seeds ...` (or `--data`) first"
            )
            raise TrainingError(message, code="NO_CASES")


def atlas_plan(folder: Path, settings: AtlasSettings) -> AtlasPlan:
    """Return the plan of an experiment's atlases.

    Raises:
        TrainingError: `ATLASES`, none is named; `SEEDS`; `TEST_SEEDS`, one is kept for evaluation.

    """
    names = (*(phantom_names(settings.seeds) if settings.seeds else ()), *settings.cases)
    if not names:
        message = "the experiment names no atlas: give atlas.seeds or atlas.cases, or --atlases"
        raise TrainingError(message, code="ATLASES")
    registration = RegistrationSettings(
        settings.spacing_mm,
        settings.affine_iterations,
        settings.demons_iterations,
        settings.smoothing_voxels,
    )
    return AtlasPlan(folder, names, registration)


def phantom_names(seeds: str) -> tuple[str, ...]:
    """Return the names of phantom cases by a seed range such as "1-8".

    Raises:
        TrainingError: `SEEDS`; `TEST_SEEDS`, one is kept for evaluation.

    """
    chosen = parse_seeds(seeds)
    refuse_test_seeds(chosen)
    return tuple(case_path(Path(), seed).stem for seed in chosen)


def label_cohort(
    plan: AtlasPlan, scans: Sequence[str], workers: int, on_case: Callable[[str], None]
) -> int:
    """Make the soft labels that are missing or made by another recipe; return how many.

    A patient who is an atlas is never his own: the other atlases label him.

    Raises:
        TrainingError: `NO_CASES`, a scan or an atlas is not prepared.

    """
    plan.refuse_missing(scans)
    missing = [name for name in scans if not is_current(plan.path(name), plan.recipe)]
    if workers <= 1:
        for name in missing:
            on_case(_label(plan, name))
        return len(missing)
    with ProcessPoolExecutor(workers, get_context("spawn"), initializer=one_thread) as pool:
        futures = [pool.submit(_label, plan, name) for name in missing]
        for future in as_completed(futures):
            on_case(future.result())
    return len(missing)


def scan_times(plan: AtlasPlan, scans: Sequence[str]) -> list[ScanTime]:
    """Return what every labelled scan took."""
    records = [record_path(plan.path(name)) for name in scans]
    return [read_record(path).time for path in records if path.exists()]


def softened(plan: AtlasPlan, cases: list[Case], labels: str = "soft") -> list[Case]:
    """Return the cases with what the atlases say: shares, or with "majority" one class a voxel.

    Raises:
        TrainingError: `SOFT_LABELS`, those of a case are missing or not of this plan.

    """
    found = [with_soft_labels(case, plan.path(case.name), plan.recipe) for case in cases]
    return found if labels == "soft" else [replace(case, soft=None) for case in found]


@cache
def _read_atlases(plan: AtlasPlan) -> tuple[Atlas, ...]:
    cases = (read_case(plan.path(name)) for name in plan.names)
    return tuple(prepare_atlas(case, plan.registration) for case in cases)


def _label(plan: AtlasPlan, name: str) -> str:
    path = plan.path(name)
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
    return name
