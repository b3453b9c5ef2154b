"""Users' studies as exams that a model is measured on: labels stay on the grid of the images."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from training.exams import Exam, Images, fitted, known_from
from training.intake.grid_labels import labels_of
from training.intake.nnunet import (
    FittedChannels,
    nnunet_images,
    nnunet_parts,
    patient_of,
    read_dataset,
)
from training.intake.prepare import Source
from training.intake.study import studies_in, study_parts, whole_body

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from training.intake.class_map import ClassMap
    from training.intake.grid_labels import LabelPart
    from training.intake.nnunet import NnunetDataset
    from training.intake.study import StudyFolder

    Parts = Callable[[str], Iterable[LabelPart]]


def find_exams(data: Path, classes: ClassMap) -> list[Source[Exam]]:
    """Return the exams of a folder, named as `osteon train prepare --data` names its cases.

    Raises:
        TrainingError: `NNUNET` or `NO_STUDIES`, the folder is neither.

    """
    if (data / "dataset.json").is_file():
        dataset = read_dataset(data)
        return [
            Source(name, patient_of(name, classes), partial(nnunet_exam, dataset, name, classes))
            for name in dataset.cases()
        ]
    return [
        Source(study.name, study.patient, partial(study_exam, study, classes))
        for study in studies_in(data)
    ]


def study_exam(study: StudyFolder, classes: ClassMap) -> Exam:
    """Read a DICOM study as serving does, and its labels.

    Raises:
        NoUsableDiffusion, UnusableImages: as in serving.
        UnreadableSegmentation, UnreadableImage, TrainingError: as in `study_case`.

    """
    volume = whole_body(study)
    return _exam(
        study.name,
        study.patient,
        fitted(volume),
        lambda task: study_parts(study, classes, task, volume),
    )


def nnunet_exam(dataset: NnunetDataset, name: str, classes: ClassMap) -> Exam:
    """Read a case of an nnU-Net dataset; without two b-values there is no high-b signal.

    Raises:
        UnreadableImage, UnusableImages, TrainingError: as in `nnunet_case`.

    """
    found = nnunet_images(dataset, name, classes)
    if isinstance(found, FittedChannels):
        images = Images(found.geometry, found.fit, None)
    else:
        images = fitted(found)
    patient = patient_of(name, classes)
    return _exam(name, patient, images, lambda task: nnunet_parts(dataset, name, task, classes))


def _exam(name: str, patient: str, images: Images, parts: Parts) -> Exam:
    structures = labels_of(parts("anatomy"), images.geometry)
    disease = labels_of(parts("disease"), images.geometry).astype(np.bool_)
    return Exam(name, patient, images, known_from(images, structures, disease))
