"""The raw data layout of nnU-Net v2: `imagesTr`, `labelsTr`, `dataset.json`.

Names and rules: nnU-Net's documentation/dataset_format.md. A case's channel n is the file
`imagesTr/<case>_<n as 0000><file_ending>`, its labels `labelsTr/<case><file_ending>`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from dicom_objects.reading.identity import pseudonym
from imaging.adc import AdcFit
from imaging.diffusion import DiffusionVolume
from imaging.nifti import read_image, read_label_map
from imaging.preprocessing import preprocess
from training.cases import Case
from training.errors import TrainingError
from training.intake.class_map import ChannelSource, ClassMap
from training.intake.grid_labels import LabelPart, labels_of
from training.intake.study import network_input
from training.tasks import TASKS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from imaging.geometry import Geometry
    from imaging.model import ModelInput
    from training.cohort import Recipe

_B_VALUE = re.compile(r"b=?\s*(\d+(?:\.\d+)?)", re.IGNORECASE)


@dataclass(frozen=True)
class NnunetDataset:
    """A `dataset.json` as read: channels by position, names by label number."""

    folder: Path
    channels: tuple[str, ...]
    labels: dict[int, str] = field(repr=False)
    file_ending: str = ".nii.gz"

    def cases(self) -> list[str]:
        """Return the names of the labelled cases."""
        files = (self.folder / "labelsTr").glob(f"*{self.file_ending}")
        return sorted(file.name.removesuffix(self.file_ending) for file in files)


def read_dataset(folder: Path) -> NnunetDataset:
    """Read `dataset.json`.

    Raises:
        TrainingError: `NNUNET`, it is missing, of another form, or its labels are regions.

    """
    path = folder / "dataset.json"
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        channels = document["channel_names"]
        names = tuple(str(channels[str(n)]) for n in range(len(channels)))
        labels = {int(number): str(name) for name, number in document["labels"].items()}
        return NnunetDataset(folder, names, labels, str(document["file_ending"]))
    except (OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        message = f"{path} is no dataset.json of nnU-Net v2 with plain labels ({error!r})"
        raise TrainingError(message, code="NNUNET") from error


def patient_of(case: str, classes: ClassMap) -> str:
    """Return the pseudonym of a case's patient."""
    return pseudonym(classes.patient_of(case))


def nnunet_case(dataset: NnunetDataset, name: str, recipe: Recipe, classes: ClassMap) -> Case:
    """Read one case and take it to the model's grid.

    Raises:
        TrainingError: `NNUNET`, channels do not say what they are or lie on several grids;
            `CLASSES`, a label is not known.
        UnreadableImage, UnusableImages, ModelMismatch: the images are not usable.

    """
    given = _given(nnunet_images(dataset, name, classes), recipe)
    labels = labels_of(nnunet_parts(dataset, name, recipe.task, classes), given.geometry)
    return Case(name, given.array.astype(np.float16), labels, given.geometry.affine)


@dataclass(frozen=True, eq=False)
class FittedChannels:
    """ADC and S0 that somebody fitted, and what else a case's channels hold, by quantity."""

    geometry: Geometry
    fit: AdcFit = field(repr=False)
    further: dict[str, NDArray[np.float32]] = field(repr=False)


def nnunet_images(
    dataset: NnunetDataset, name: str, classes: ClassMap
) -> DiffusionVolume | FittedChannels:
    """Read a case's channels: b-values where there are two, else ADC and S0.

    Raises:
        TrainingError: `NNUNET`, channels do not say what they are or lie on several grids.
        UnreadableImage: a file cannot be read.

    """
    images, geometry = _images(dataset, name, classes)
    shells = {float(found[1]): image for q, image in images.items() if (found := _b_value(q))}
    if len(shells) >= 2:
        return DiffusionVolume(geometry, shells)
    if "s0" not in images or "adc_um2_s" not in images:
        message = (
            f"{dataset.folder}: channels {', '.join(dataset.channels)} are neither adc_um2_s and"
            " s0 nor two b-values (b50, b900); name them under `channels` in YAML"
        )
        raise TrainingError(message, code="NNUNET")
    nothing = np.full_like(images["s0"], np.nan)
    fit = AdcFit(images["adc_um2_s"], images["s0"], nothing, ())
    further = {q: image for q, image in images.items() if q not in ("adc_um2_s", "s0")}
    return FittedChannels(geometry, fit, further)


def _given(images: DiffusionVolume | FittedChannels, recipe: Recipe) -> ModelInput:
    if isinstance(images, FittedChannels):
        return preprocess(images.fit, images.geometry, recipe.spec, images.further)
    return network_input(images, recipe)


def _b_value(quantity: str) -> re.Match[str] | None:
    return _B_VALUE.fullmatch(quantity)


def _images(
    dataset: NnunetDataset, name: str, classes: ClassMap
) -> tuple[dict[str, NDArray[np.float32]], Geometry]:
    images: dict[str, NDArray[np.float32]] = {}
    first: Geometry | None = None
    for n, channel in enumerate(dataset.channels):
        default = ChannelSource(channel)
        source = classes.channels.get(channel, classes.channels.get(str(n), default))
        file = dataset.folder / "imagesTr" / f"{name}_{n:04d}{dataset.file_ending}"
        image, geometry = read_image(file)
        first = first or geometry
        if not geometry.matches(first):
            message = f"{file.name} is not on the grid of the case's first channel"
            raise TrainingError(message, code="NNUNET")
        images[source.quantity] = image * np.float32(source.factor)
    if first is None:
        raise TrainingError(f"{dataset.folder}: no channels are declared", code="NNUNET")
    return images, first


def nnunet_parts(
    dataset: NnunetDataset, name: str, task: str, classes: ClassMap
) -> Iterator[LabelPart]:
    """Yield what a case's label map says of the task's classes.

    Raises:
        TrainingError: `CLASSES`, a label is not known.
        UnreadableImage: the file cannot be read.

    """
    file = dataset.folder / "labelsTr" / f"{name}{dataset.file_ending}"
    labels, geometry = read_label_map(file)
    for number in np.unique(labels[labels != 0]).tolist():
        names = [dataset.labels.get(number, ""), str(number)]
        position = classes.position(names, TASKS[task].classes, file.name)
        if position:
            yield LabelPart(position, geometry, (labels == number).astype(np.float32))
