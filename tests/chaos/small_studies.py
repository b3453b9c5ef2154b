"""Small MR studies, made in a millisecond an image: for tests that need many and measure none."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

MR = "1.2.840.10008.5.1.4.1.1.4"
_NUMBERS = count(1)


@dataclass(frozen=True)
class SmallStudy:
    """One study on disk."""

    uid: str
    paths: tuple[Path, ...]
    values: Mapping[str, Any] = field(default_factory=dict)


def write_small_study(
    folder: Path, images: int = 6, size: int = 16, n_series: int = 1, **values: Any
) -> SmallStudy:
    """Write `images` images of size x size pixels in each series; `values` are data elements."""
    number = next(_NUMBERS)
    uid = f"2.25.{4200000 + number}"
    folder.mkdir(parents=True, exist_ok=True)
    paths = [
        _write(folder, f"{uid}.{series}", image, size, {"StudyInstanceUID": uid, **values})
        for series in range(1, n_series + 1)
        for image in range(1, images + 1)
    ]
    return SmallStudy(uid, tuple(paths), values)


def write_image(folder: Path, study: SmallStudy, image: int, **values: Any) -> Path:
    """Write one more image of a study, or with a number that it has, another of that UID."""
    told = {"StudyInstanceUID": study.uid, **study.values, **values}
    return _write(folder, f"{study.uid}.1", image, 16, told)


def _write(folder: Path, series_uid: str, image: int, size: int, values: dict[str, Any]) -> Path:
    data_set = Dataset()
    data_set.SOPClassUID = MR
    data_set.SOPInstanceUID = f"{series_uid}.{image}"
    data_set.SeriesInstanceUID = series_uid
    data_set.Modality = "MR"
    data_set.PatientID = "CHAOS"
    data_set.PatientName = "Chaos^Test"
    data_set.StudyDate = "20260102"
    data_set.InstanceNumber = str(image)
    data_set.Rows = data_set.Columns = size
    data_set.BitsAllocated = data_set.BitsStored = 16
    data_set.HighBit, data_set.PixelRepresentation, data_set.SamplesPerPixel = 15, 0, 1
    data_set.PhotometricInterpretation = "MONOCHROME2"
    dice = np.random.default_rng(image)
    data_set.PixelData = dice.integers(0, 4096, (size, size), np.uint16).tobytes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some values are what no VR allows
        for keyword, value in values.items():
            setattr(data_set, keyword, value)
    data_set.file_meta = FileMetaDataset()
    data_set.file_meta.MediaStorageSOPClassUID = MR
    data_set.file_meta.MediaStorageSOPInstanceUID = data_set.SOPInstanceUID
    data_set.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{data_set.SOPInstanceUID}.dcm"
    data_set.save_as(path, enforce_file_format=True)
    return path
