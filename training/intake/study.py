"""A DICOM study with its labels as a case: SEG objects or a label map beside the images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dicom_objects.reading.diffusion import read_study
from dicom_objects.reading.identity import study_identity
from dicom_objects.reading.segmentation import is_segmentation
from imaging.stations import assemble
from training.body_models import refuse_held_out_patient
from training.cases import Case
from training.errors import TrainingError
from training.inputs import anatomy_input, disease_input
from training.intake.grid_labels import label_map_parts, labels_of, segmentation_parts
from training.tasks import TASKS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from imaging.diffusion import DiffusionVolume
    from imaging.model import ModelInput
    from training.cohort import Recipe
    from training.intake.class_map import ClassMap
    from training.intake.grid_labels import LabelPart

_LABEL_MAPS = (".nii", ".nii.gz", ".nrrd", ".mha")


@dataclass(frozen=True)
class StudyFolder:
    """One study: every file below `folder`."""

    folder: Path
    name: str
    """Made of digests: a folder's own name may be a patient's."""
    patient: str
    phantom: str = ""
    """Patient ID of a synthetic patient; empty for all others."""


def studies_in(data: Path) -> list[StudyFolder]:
    """Return the studies of `data`: each sub-folder is one, or `data` itself if it has files.

    Raises:
        TrainingError: `NO_STUDIES`, there is none.

    """
    inside = sorted(path for path in data.iterdir() if not path.name.startswith("."))
    files = [path for path in inside if path.is_file() and not _is_label_map(path)]
    folders = [data] if files else [path for path in inside if path.is_dir()]
    found = [study for folder in folders if (study := _identified(folder))]
    if not found:
        message = f"{data} holds no DICOM study: give one folder a study, or a dataset of nnU-Net"
        raise TrainingError(message, code="NO_STUDIES")
    return found


def study_case(study: StudyFolder, recipe: Recipe, classes: ClassMap) -> Case:
    """Read a study through the path of serving, and its labels on the model's grid.

    Raises:
        NoUsableDiffusion, UnusableImages: as in serving.
        UnreadableSegmentation, UnreadableImage: the labels cannot be read.
        TrainingError: `NO_LABELS`, `CLASSES`, or `SEG_FRAME`, a SEG in other coordinates;
            `HELD_OUT_BODY`, a synthetic patient on whom nothing may be trained.

    """
    refuse_held_out_patient(study.phantom)
    volume = whole_body(study)
    given = network_input(volume, recipe)
    labels = labels_of(study_parts(study, classes, recipe.task, volume), given.geometry)
    image = given.array.astype(np.float16)
    return Case(study.name, image, labels, given.geometry.affine)


def whole_body(study: StudyFolder) -> DiffusionVolume:
    """Read and assemble a study's images, as serving does.

    Raises:
        NoUsableDiffusion, UnusableImages: as in serving.

    """
    files = [path for path in _files(study.folder) if not _is_label_map(path)]
    return assemble(read_study(files).stations).volume


def network_input(volume: DiffusionVolume, recipe: Recipe) -> ModelInput:
    """Return what the task's network is given of a whole body."""
    if recipe.task == "disease":
        return disease_input(volume, recipe.spec, recipe.anatomy_model)
    return anatomy_input(volume, recipe.spec)


def study_parts(
    study: StudyFolder, classes: ClassMap, task: str, volume: DiffusionVolume
) -> Iterator[LabelPart]:
    """Yield what a study's SEG objects and label maps say of the task's classes.

    Raises:
        TrainingError: `NO_LABELS`, `CLASSES`, or `SEG_FRAME`, a SEG in other coordinates.
        UnreadableSegmentation, UnreadableImage: the labels cannot be read.

    """
    files, known = _files(study.folder), TASKS[task].classes
    segmentations = [p for p in files if not _is_label_map(p) and is_segmentation(p)]
    maps = [p for p in files if _is_label_map(p)]
    if not segmentations and not maps:
        message = "no DICOM SEG and no label map (.nii.gz) lies beside the images"
        raise TrainingError(message, code="NO_LABELS")
    for part in segmentation_parts(segmentations, classes, known):
        frame = part.geometry.frame_of_reference_uid
        if frame and volume.geometry.frame_of_reference_uid not in ("", frame):
            message = "a SEG has another frame of reference than the images: its place is not known"
            raise TrainingError(message, code="SEG_FRAME")
        yield part
    for path in maps:
        yield from label_map_parts(path, classes, known)


def _identified(folder: Path) -> StudyFolder | None:
    identity = study_identity(p for p in _files(folder) if not _is_label_map(p))
    if identity is None:
        return None
    name = f"dicom-{identity.patient[:8]}-{identity.study[:8]}"
    return StudyFolder(folder, name, identity.patient, identity.phantom)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _is_label_map(path: Path) -> bool:
    return path.name.endswith(_LABEL_MAPS)
