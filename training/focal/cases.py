"""Synthetic patients for the focal experiment: T1 and b1000 on one grid, skeleton or lesions."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING

import numpy as np

from imaging.anatomy import BY_NAME
from imaging.lesions import find_lesions
from training.cases import Case, labels_on_grid, mask_on_grid, read_case, write_case
from training.cohort import one_thread
from training.errors import TrainingError
from training.focal.planted import count_planted, planted_path, write_planted
from training.focal.scanning import scan_patient
from training.folds import FoldCase
from training.seeds import parse_seeds, refuse_test_seeds

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from training.focal.planted import Planted
    from training.focal.settings import FocalExperiment

# The paper's nine regions (`papers.md` B.2): no ribs, no skull. The sacrum goes with the pelvis.
_REGIONS: dict[str, tuple[str, ...]] = {
    "cervical": ("cervical_spine",),
    "thoracic": ("thoracic_spine",),
    "lumbar": ("lumbar_spine",),
    "femur": ("femur_left", "femur_right"),
    "pelvis": ("pelvis", "sacrum"),
    "humerus": ("humerus_left", "humerus_right"),
    "scapulae": ("scapulae",),
    "clavicles": ("clavicles",),
    "sternum": ("sternum",),
}
SKELETON_CLASSES = ("background", *_REGIONS)
FOCAL_TEST_SEEDS = (*range(1100, 1120), *range(1180, 1200))
"""Patients for the evaluation of the focal network that ships: no network may ever see them."""


@dataclass(frozen=True)
class Wanted:
    """A patient: a seed, and whether bone disease is planted."""

    seed: int
    diseased: bool

    @property
    def name(self) -> str:
        """What the case is called."""
        return f"{'diseased' if self.diseased else 'healthy'}-{self.seed:05d}"

    def path(self, folder: Path) -> Path:
        """Where its case lies."""
        return folder / f"{self.name}.npz"


def wanted(experiment: FocalExperiment) -> tuple[list[Wanted], list[Wanted]]:
    """Return the healthy and the diseased patients that are fitted.

    Raises:
        TrainingError: `SEEDS`, a bad range; `TEST_SEEDS`, one is kept for evaluation.

    """
    ranges = (experiment.cohort.healthy_seeds, experiment.cohort.diseased_seeds)
    healthy, diseased = (parse_seeds(text) for text in ranges)
    _refuse_kept((*healthy, *diseased))
    return [Wanted(s, False) for s in healthy], [Wanted(s, True) for s in diseased]


def validation_patients(experiment: FocalExperiment) -> list[Wanted]:
    """Return the diseased patients that are not fitted; none where the experiment names none.

    Raises:
        TrainingError: `SEEDS`, a bad range, or one of them is fitted; `TEST_SEEDS`.

    """
    seeds = _not_fitted(experiment, experiment.cohort.validation_seeds)
    return [Wanted(s, True) for s in seeds]


def skeleton_patients(experiment: FocalExperiment) -> list[Wanted]:
    """Return the healthy people whose skeleton is scored; none where the experiment names none.

    Raises:
        TrainingError: `SEEDS`, a bad range, or one of them is fitted; `TEST_SEEDS`.

    """
    seeds = _not_fitted(experiment, experiment.cohort.skeleton_seeds)
    return [Wanted(s, False) for s in seeds]


def _not_fitted(experiment: FocalExperiment, text: str) -> tuple[int, ...]:
    if not text:
        return ()
    seeds = parse_seeds(text)
    _refuse_kept(seeds)
    fitted = {w.seed for group in wanted(experiment) for w in group}
    both = [s for s in seeds if s in fitted]
    if both:
        message = f"validation seeds {both} are fitted too; keep the ranges apart"
        raise TrainingError(message, code="SEEDS")
    return seeds


def _refuse_kept(seeds: tuple[int, ...]) -> None:
    refuse_test_seeds(seeds)
    kept = [s for s in seeds if s in FOCAL_TEST_SEEDS]
    if kept:
        message = f"seeds {kept} are kept for the focal network's evaluation (1100-1119, 1180-1199)"
        raise TrainingError(message, code="TEST_SEEDS")


def prepare_focal(
    experiment: FocalExperiment, folder: Path, workers: int, on_case: Callable[[int], None]
) -> int:
    """Make the cases that are missing; return how many. `on_case` hears each one's seed."""
    folder.mkdir(parents=True, exist_ok=True)
    healthy, diseased = wanted(experiment)
    checks = [*skeleton_patients(experiment), *validation_patients(experiment)]
    patients = [*healthy, *checks, *diseased]
    missing = [w for w in patients if not w.path(folder).exists()]
    if workers <= 1:
        for patient in missing:
            on_case(_make(experiment, patient, folder))
        return len(missing)
    with ProcessPoolExecutor(workers, get_context("spawn"), initializer=one_thread) as pool:
        for future in as_completed([pool.submit(_make, experiment, w, folder) for w in missing]):
            on_case(future.result())
    return len(missing)


def read_focal(patients: list[Wanted], folder: Path) -> list[Case]:
    """Read prepared cases, in the order of `patients`."""
    return [read_case(w.path(folder)) for w in patients]


def fold_cases(cases: list[Case]) -> list[FoldCase]:
    """Return what a split by the number of lesions must know; every case is a patient."""
    counts = [find_lesions(c.labels > 0, c.model_input.geometry, 0.0).max(initial=0) for c in cases]
    return [FoldCase(c.name, c.name, int(n)) for c, n in zip(cases, counts, strict=True)]


def focal_case(experiment: FocalExperiment, patient: Wanted) -> Case:
    """Return `focal_scan`'s case."""
    return focal_scan(experiment, patient)[0]


def focal_scan(experiment: FocalExperiment, patient: Wanted) -> tuple[Case, Planted]:
    """Scan a synthetic patient twice and bring both scans to the network's grid.

    Labels are positions in `SKELETON_CLASSES` for the healthy and 1 in lesions for the diseased:
    focal disease only, as the paper's (no diffuse and no confluent cases). A lesion that fills
    half of no voxel is not there for a network on this grid, nor for its score: the count says
    how many those are.
    """
    scans = scan_patient(
        experiment,
        patient.seed,
        diseased=patient.diseased,
        quickly=_is_quick(experiment, patient),
    )
    truth, grid = scans.truth, scans.given.geometry
    if patient.diseased:
        labels = mask_on_grid(truth.lesion_labels > 0, truth.geometry, grid)
    else:
        labels = _regions()[labels_on_grid(truth.labels, truth.geometry, grid)]
    case = Case(patient.name, scans.given.array.astype(np.float16), labels, grid.affine)
    return case, count_planted(scans.planned, truth, labels, grid)


def _is_quick(experiment: FocalExperiment, patient: Wanted) -> bool:
    """Whether the patient is fitted, and not one of those who are scanned as served."""
    served = experiment.cohort.as_served_seeds
    slow = parse_seeds(served) if served else ()
    fitted = any(patient in group for group in wanted(experiment))
    return fitted and patient.seed not in slow


def _regions() -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    table = np.zeros(256, dtype=np.uint8)
    for number, structures in enumerate(_REGIONS.values(), start=1):
        table[[BY_NAME[name].label for name in structures]] = number
    return table


def _make(experiment: FocalExperiment, patient: Wanted, folder: Path) -> int:
    case, planted = focal_scan(experiment, patient)
    if patient.diseased:
        write_planted(planted, planted_path(patient.path(folder)))
    write_case(case, patient.path(folder))
    return patient.seed
