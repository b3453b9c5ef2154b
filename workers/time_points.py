"""What a later study is compared with: a run's arrays in one file, read back without DICOM.

`time_point.npz` (numpy's zip of arrays, no pickles) holds labels, lesions, ADC and normalised
signal on the whole-body grid. ADC is kept to 1 µm²/s and signal to 0.001: less than either means.
"""

from __future__ import annotations

import zipfile
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from imaging.errors import GeometryError
from imaging.geometry import Geometry
from imaging.measured_study import StudyImages

if TYPE_CHECKING:
    from pathlib import Path

FILE_NAME = "time_point.npz"
KIND = "time_point"
_FORM = 1
_SIGNAL_STEP = 0.001
_HIGHEST = np.iinfo(np.uint16).max
_DAMAGED = (
    EOFError,
    GeometryError,
    KeyError,
    OSError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)


class UnreadableTimePoint(Exception):  # noqa: N818 - it names the condition
    """The arrays of an earlier run cannot be read; the message says why."""

    code = "TIME_POINT_UNREADABLE"


def write_time_point(images: StudyImages, path: Path) -> None:
    """Write what a later study needs; equal images give equal bytes."""
    whole = np.nan_to_num(images.adc_um2_s, nan=0.0)
    arrays: dict[str, Any] = {
        "form": np.array(_FORM),
        "affine": images.geometry.affine,
        "frame": np.array(images.geometry.frame_of_reference_uid),
        "labels": images.labels,
        "lesions": images.lesion_labels,
        "adc_um2_s": _counted(whole, 1.0),
        "signal": _counted(images.signal, _SIGNAL_STEP),
        "signal_unit": np.array(images.signal_unit),
    }
    np.savez_compressed(path, **arrays)


def read_time_point(path: Path) -> StudyImages:
    """Read what `write_time_point` wrote.

    Raises:
        UnreadableTimePoint: missing, damaged, or of another software's form.

    """
    try:
        # Opened here: numpy leaves a damaged file open.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
            if int(held["form"]) != _FORM:
                raise UnreadableTimePoint(f"{path.name} has form {held['form']}, not {_FORM}")
            return _images(held)
    except _DAMAGED as error:
        message = f"{path.name} is no time point that can be read ({type(error).__name__})"
        raise UnreadableTimePoint(message) from error


def _images(held: Any) -> StudyImages:  # noqa: ANN401 - numpy's open file has no public type
    labels = held["labels"].astype(np.uint8, copy=False)
    k, j, i = labels.shape
    geometry = Geometry((k, j, i), held["affine"], str(held["frame"]))
    arrays = [held[name] for name in ("lesions", "adc_um2_s", "signal")]
    if any(array.shape != labels.shape for array in arrays):
        raise ValueError("arrays of different shapes")
    lesions, adc, signal = arrays
    return StudyImages(
        geometry,
        labels,
        lesions.astype(np.uint16, copy=False),
        np.where(adc > 0, adc, np.nan).astype(np.float32),
        signal.astype(np.float32) * np.float32(_SIGNAL_STEP),
        str(held["signal_unit"]),
    )


def _counted(values: np.ndarray[Any, Any], step: float) -> np.ndarray[Any, Any]:
    return np.clip(np.rint(values / step), 0, _HIGHEST).astype(np.uint16)
