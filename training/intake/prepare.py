"""`osteon train prepare --data`: users' cases into the folder that an experiment trains on."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from typing import TYPE_CHECKING, Generic, TypeVar

from dicom_objects.errors import DicomObjectError
from imaging.errors import ImagingError
from training.cases import write_case
from training.cohort import one_thread
from training.errors import TrainingError
from training.intake.nnunet import nnunet_case, patient_of, read_dataset
from training.intake.splits import read_splits, split_patients, write_splits
from training.intake.study import studies_in, study_case

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from training.cases import Case
    from training.cohort import Recipe
    from training.intake.class_map import ClassMap


Made = TypeVar("Made")


@dataclass(frozen=True)
class Source(Generic[Made]):
    """One case or exam that can be made: its name, its patient's pseudonym, and how."""

    name: str
    patient: str
    make: Callable[[], Made] = field(repr=False)


@dataclass(frozen=True)
class Refused:
    """A case that could not be made, and why."""

    name: str
    code: str
    reason: str


def find_sources(data: Path, recipe: Recipe, classes: ClassMap) -> list[Source[Case]]:
    """Return the cases of a folder: nnU-Net's where there is a `dataset.json`, else studies.

    Raises:
        TrainingError: `NNUNET` or `NO_STUDIES`, the folder is neither.

    """
    if (data / "dataset.json").is_file():
        dataset = read_dataset(data)
        names = dataset.cases()
        makers = [partial(nnunet_case, dataset, name, recipe, classes) for name in names]
        patients = [patient_of(name, classes) for name in names]
        return [Source(*row) for row in zip(names, patients, makers, strict=True)]
    return [
        Source(study.name, study.patient, partial(study_case, study, recipe, classes))
        for study in studies_in(data)
    ]


def prepare_sources(
    sources: list[Source[Case]],
    folder: Path,
    seed: int,
    workers: int,
    on_case: Callable[[str], None],
) -> list[Refused]:
    """Make the cases that are missing, and split all of them by patient; return the refused.

    A case that is there is left alone. `on_case` hears the name of every one that was tried.
    """
    folder.mkdir(parents=True, exist_ok=True)
    missing = [s for s in sources if not (folder / f"{s.name}.npz").exists()]
    refused = []
    for source, problem in zip(missing, _made(missing, folder, workers), strict=True):
        refused += [problem] if problem else []
        on_case(source.name)
    there = {s.name: s.patient for s in sources if (folder / f"{s.name}.npz").exists()}
    write_splits(split_patients(read_splits(folder), there, seed), folder)
    return refused


def _made(sources: list[Source[Case]], folder: Path, workers: int) -> Iterator[Refused | None]:
    make: Callable[[Source[Case]], Refused | None] = partial(_make, folder)
    if workers <= 1:
        yield from map(make, sources)
        return
    with ProcessPoolExecutor(workers, get_context("spawn"), initializer=one_thread) as pool:
        results: Iterable[Refused | None] = pool.map(make, sources)
        yield from results


def _make(folder: Path, source: Source[Case]) -> Refused | None:
    try:
        write_case(source.make(), folder / f"{source.name}.npz")
    except (DicomObjectError, ImagingError, TrainingError) as error:
        return Refused(source.name, error.code, str(error))
    return None
