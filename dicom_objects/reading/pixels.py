"""Stored pixel values of a stack of frames as one image, quickly."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pydicom
from pydicom.pixels.utils import iter_pixels
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from dicom_objects.attributes import DAMAGED
from dicom_objects.errors import DicomObjectError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from dicom_objects.reading.frames import Frame, Pixels

# What pydicom raises when it has no decoder for a syntax, or the stream is damaged.
_UNDECODABLE = (*DAMAGED, RuntimeError, OSError, MemoryError)
# One decoder a syntax, so that a machine with more plugins reads the same values. GDCM, whose
# parsers are not used, decodes what no other decoder of a free licence does.
_DECODERS: dict[str, str] = {
    ImplicitVRLittleEndian: "",
    ExplicitVRLittleEndian: "",
    ExplicitVRBigEndian: "",
    DeflatedExplicitVRLittleEndian: "",
    RLELossless: "pydicom",
    JPEGLossless: "gdcm",
    JPEGLosslessSV1: "gdcm",
    JPEGLSLossless: "pyjpegls",
    JPEG2000Lossless: "pylibjpeg",
    "1.2.840.10008.1.2.4.201": "pylibjpeg",  # High-Throughput JPEG 2000
    "1.2.840.10008.1.2.4.202": "pylibjpeg",
}


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
    by_file: dict[Path, list[int]] = {}
    for k, instance in enumerate(instances):
        by_file.setdefault(instance.path, []).append(k)

    def load(file: list[int]) -> None:
        for k, stored in zip(file, _stored_frames([instances[k] for k in file]), strict=True):
            _fill(result[k], instances[k], stored)

    with ThreadPoolExecutor(max_workers=4) as pool:
        list(pool.map(load, by_file.values()))
    return result


def _stored_frames(frames: Sequence[Frame]) -> Iterator[NDArray[np.generic]]:
    """Give the stored frame behind each frame of one file; every stored frame is read once."""
    pixels = [_pixels(frame) for frame in frames]
    if all(p.offset is not None for p in pixels):
        read: dict[int | None, NDArray[np.generic]] = {}
        for frame, p in zip(frames, pixels, strict=True):
            if p.offset not in read:
                read.clear()  # tiles of one mosaic follow each other: one is kept at a time
                read[p.offset] = _read(frame, p)
            yield read[p.offset]
    else:
        decoded = _decode(frames)
        for frame in frames:
            yield decoded[(frame.frame_number or 1) - 1]


def _pixels(frame: Frame) -> Pixels:
    if frame.pixels is None:
        message = f"series {frame.series_number}: an image has no pixel data"
        raise UndecodablePixels(message)
    return frame.pixels


def _read(frame: Frame, pixels: Pixels) -> NDArray[np.generic]:
    rows, columns = pixels.stored_shape
    stored = np.fromfile(frame.path, pixels.dtype, rows * columns, offset=pixels.offset or 0)
    if stored.size != rows * columns:
        message = f"series {frame.series_number}: pixel data is shorter than rows x columns"
        raise UndecodablePixels(message)
    unused = pixels.unused_bits
    if unused:  # shifted out and back, which restores the sign of signed values
        stored = np.right_shift(np.left_shift(stored, unused), unused)
    return stored.reshape(rows, columns)


def _decode(frames: Sequence[Frame]) -> dict[int, NDArray[np.generic]]:
    """Decode the stored frames that are asked for, in one pass over the file."""
    indices = sorted({(frame.frame_number or 1) - 1 for frame in frames})
    syntax = _pixels(frames[0]).transfer_syntax_uid
    if not has_decoder(syntax):
        message = f"series {frames[0].series_number}: transfer syntax {syntax} is not decoded"
        raise UndecodablePixels(message)
    return dict(zip(indices, decoded_frames(frames[0], indices), strict=True))


def has_decoder(transfer_syntax_uid: str) -> bool:
    """Whether pixels in this transfer syntax are decoded at all."""
    return transfer_syntax_uid in _DECODERS


def decoded_frames(frame: Frame, indices: Sequence[int]) -> Iterator[NDArray[np.generic]]:
    """Decode stored frames of the file of `frame`, counted from 0, one after the other.

    Raises:
        UndecodablePixels: they are damaged, or are not as many as asked for.

    """
    decoder = _DECODERS[_pixels(frame).transfer_syntax_uid]
    try:
        # Not the path: pydicom 3.0 does not inflate a deflated file on that way.
        dataset = pydicom.dcmread(frame.path)
        yield from iter_pixels(dataset, indices=indices, raw=True, decoding_plugin=decoder)
    except _UNDECODABLE as error:
        message = f"series {frame.series_number}: its transfer syntax could not be decoded"
        raise UndecodablePixels(message) from error


def _fill(image: NDArray[np.float32], frame: Frame, stored: NDArray[np.generic]) -> None:
    pixels = _pixels(frame)
    (row, column), (rows, columns) = pixels.origin, image.shape
    tile = stored[row : row + rows, column : column + columns]
    if tile.shape != image.shape:
        message = f"series {frame.series_number}: pixel data does not have rows x columns values"
        raise UndecodablePixels(message)
    image[:] = tile
    if (pixels.slope, pixels.intercept) != (1.0, 0.0):
        image *= np.float32(pixels.slope)
        image += np.float32(pixels.intercept)
