"""A model measured on a site's own exams: those of patients whom it was not trained on."""

from __future__ import annotations

import hashlib
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from dicom_objects.errors import DicomObjectError
from imaging.errors import ImagingError
from training.cohort import one_thread
from training.errors import TrainingError
from training.evaluation import evaluate_exam, fingerprint, load_model
from training.experiment import load_experiment
from training.intake.class_map import load_class_map
from training.intake.exams import find_exams
from training.intake.prepare import Refused
from training.intake.splits import cohort_names
from training.scoring.case import read_result, write_result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from training.evaluation import Models
    from training.exams import Exam
    from training.intake.prepare import Source
    from training.scoring.case import CaseResult

UNSEEN = "Exams of one site, of patients unknown to the model by the word of whoever evaluated it"


@dataclass(frozen=True)
class OwnData:
    """A site's exams: their folder, what its labels are, and whose split says who is held out.

    Without `config` every exam is measured, and `UNSEEN` says on whose word.
    """

    folder: Path
    classes: Path | None = None
    config: Path | None = None


def find_held_out(own: OwnData) -> tuple[list[Source[Exam]], str]:
    """Return the exams that the model was not trained on, and in words whose they are.

    Raises:
        TrainingError: `NO_CASES`, none of them is held out; `NNUNET`, `NO_STUDIES`, `CLASSES`,
            `EXPERIMENT`, `SPLITS`, `FOLDS`.

    """
    sources = find_exams(own.folder, load_class_map(own.classes))
    if own.config is None:
        return sources, UNSEEN
    cohort = load_experiment(own.config).cohort
    names = set(cohort_names(cohort, Path(cohort.folder))[1])
    held_out = [source for source in sources if source.name in names]
    if not held_out:
        message = f"none of the {len(sources)} exams in {own.folder} is held out by {own.config}"
        raise TrainingError(message, code="NO_CASES")
    how = f"fold {cohort.fold}" if cohort.fold else "one split by patient"
    return held_out, f"Exams of one site, {how}"


def evaluate_own(
    models: Models,
    sources: Sequence[Source[Exam]],
    classes: Path | None,
    out: Path,
    workers: int,
    on_case: Callable[[str], None],
) -> tuple[list[CaseResult], list[Refused]]:
    """Evaluate exams; one JSON an exam, and those of the same model, software and map are kept.

    Exams that cannot be read are returned with the reason. Files of images and labels are not
    looked at again: another folder for `out` when they change.
    """
    digest = hashlib.sha256(fingerprint(models).encode())
    digest.update(classes.read_bytes() if classes else b"")
    folder = out / f"own-{digest.hexdigest()[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    missing = [source for source in sources if not _path(folder, source.name).exists()]
    refused = []
    for source, problem in zip(missing, _evaluated(models, missing, folder, workers), strict=True):
        refused += [problem] if problem else []
        on_case(source.name)
    paths = [_path(folder, source.name) for source in sources]
    return [read_result(path) for path in paths if path.exists()], refused


def _evaluated(
    models: Models, sources: Sequence[Source[Exam]], folder: Path, workers: int
) -> Iterable[Refused | None]:
    work: Callable[[Source[Exam]], Refused | None] = partial(_evaluate, models, folder)
    if workers <= 1:
        yield from map(work, sources)
        return
    with ProcessPoolExecutor(workers, get_context("spawn"), initializer=one_thread) as pool:
        yield from pool.map(work, sources)


def _evaluate(models: Models, folder: Path, source: Source[Exam]) -> Refused | None:
    disease = load_model(models.disease) if models.disease else None
    try:
        result = evaluate_exam(source.make(), load_model(models.anatomy), disease)
    except (DicomObjectError, ImagingError, TrainingError) as error:
        return Refused(source.name, error.code, str(error))
    write_result(result, _path(folder, source.name))
    return None


def _path(folder: Path, name: str) -> Path:
    return folder / f"{name}.json"
