"""Stored pixel values of a stack of files as one image, quickly."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pydicom

from dicom_objects.errors import DicomObjectError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from dicom_objects.reading.frames import Frame

# What pydicom raises when it has no decoder for a syntax, or the stream is damaged.
_UNDECODABLE = (RuntimeError, NotImplementedError, ValueError, AttributeError, KeyError, EOFError)


class UndecodablePixels(DicomObjectError):  # noqa: N818 - it names the condition
    """No decoder for the transfer syntax, or damaged pixel data."""

    code = "UNSUPPORTED_TS"


def load_image(instances: Sequence[Frame]) -> NDArray[np.float32]:
    """Return (slice, row, column) float32 in the order given, slope and intercept applied.

    Raises:
        UndecodablePixels: a file's pixels cannot be decoded.

    """
    plane = instances[0].plane
    if plane is None:
        message = "images without position cannot be stacked"
        raise UndecodablePixels(message)
    result = np.empty((len(instances), plane.rows, plane.columns), dtype=np.float32)

    def load(k: int) -> None:
        result[k] = _load(instances[k], plane.rows, plane.columns)

    with ThreadPoolExecutor(max_workers=4) as pool:
        list(pool.map(load, range(len(instances))))
    return result


def _load(instance: Frame, rows: int, columns: int) -> NDArray[np.float32]:
    pixels = instance.pixels
    if pixels is None:
        message = f"series {instance.series_number}: an image has no pixel data"
        raise UndecodablePixels(message)
    stored = (
        _decode(instance)
        if pixels.offset is None
        else np.fromfile(instance.path, pixels.dtype, rows * columns, offset=pixels.offset)
    )
    if stored.size != rows * columns:
        message = f"series {instance.series_number}: pixel data is shorter than rows x columns"
        raise UndecodablePixels(message)
    image = stored.reshape(rows, columns).astype(np.float32)
    if (pixels.slope, pixels.intercept) != (1.0, 0.0):
        image *= np.float32(pixels.slope)
        image += np.float32(pixels.intercept)
    return image


def _decode(instance: Frame) -> NDArray[np.generic]:
    try:
        decoded: NDArray[np.generic] = pydicom.dcmread(instance.path).pixel_array
    except _UNDECODABLE as error:
        message = f"series {instance.series_number}: its transfer syntax could not be decoded"
        raise UndecodablePixels(message) from error
    return decoded
