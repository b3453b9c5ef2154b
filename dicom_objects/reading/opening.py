"""Opening one DICOM file: its header, and where its stored pixels begin."""

from __future__ import annotations

from dataclasses import dataclass, replace
from io import BytesIO
from typing import TYPE_CHECKING

import pydicom
from pydicom.errors import InvalidDicomError
from pydicom.filereader import read_dataset
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

from dicom_objects.attributes import InstanceHeader, number, text, tokens
from dicom_objects.reading.frames import Pixels
from dicom_objects.reading.thinning import thin

if TYPE_CHECKING:
    from pathlib import Path

    from pydicom import Dataset

_UNCOMPRESSED = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian)
_HTJ2K_LOSSLESS = ("1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.202")
_LOSSLESS = frozenset(
    (
        *_UNCOMPRESSED,
        DeflatedExplicitVRLittleEndian,
        RLELossless,
        JPEGLossless,
        JPEGLosslessSV1,
        JPEGLSLossless,
        JPEG2000Lossless,
        *_HTJ2K_LOSSLESS,
    )
)
_WITHOUT_PREAMBLE = (b"\x08\x00", b"\x02\x00")
_PIXEL_DATA = {"<": b"\xe0\x7f\x10\x00", ">": b"\x7f\xe0\x00\x10"}


@dataclass(frozen=True, eq=False)
class OpenedFile:
    """A file whose header was read; its bytes are gone again."""

    path: Path
    dataset: Dataset
    header: InstanceHeader
    pixels: Pixels | None
    """Of the first stored frame; None: no image, or no pixel data."""
    frame_count: int


def open_file(path: Path) -> OpenedFile:
    """Read the header of one file.

    Raises:
        InvalidDicomError: neither a preamble nor a data set, or no SOP Instance UID. Damaged bytes
            raise what pydicom makes of them.

    """
    data = _bytes(path)
    dataset, syntax, pixels_at = _parsed(data)
    header = InstanceHeader(dataset)
    if not text(header, "SOPInstanceUID"):
        message = "no SOP Instance UID"
        raise InvalidDicomError(message)
    frames = max(1, int(number(header, "NumberOfFrames") or 1))
    pixels = _pixels(header, syntax, pixels_at, data)
    return OpenedFile(path, dataset, header, pixels, frames)


def stored_frame(opened: OpenedFile, index: int) -> Pixels | None:
    """Return the pixels of one stored frame, counted from 0."""
    first = opened.pixels
    if first is None or first.offset is None or index == 0:
        return first
    return replace(first, offset=first.offset + index * _frame_bytes(first))


def looks_readable(start: bytes) -> bool:
    """Whether the first 132 bytes are those of a DICOM file, or of a data set without preamble."""
    return start[:2] in _WITHOUT_PREAMBLE or start[128:132] == b"DICM"


def _bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        if not looks_readable(file.read(132)):
            message = "neither a preamble nor a data set"
            raise InvalidDicomError(message)
        file.seek(0)
        return file.read()


def _parsed(data: bytes) -> tuple[Dataset, str, int]:
    """Return the header, its transfer syntax and where Pixel Data begins."""
    thinned = thin(data)
    if thinned:
        syntax = thinned.transfer_syntax_uid
        stream = BytesIO(thinned.elements)
        return (
            read_dataset(stream, syntax == ImplicitVRLittleEndian, True),
            syntax,
            thinned.pixels_at,
        )
    stream = BytesIO(data)
    dataset = pydicom.dcmread(stream, stop_before_pixels=True, force=data[128:132] != b"DICM")
    syntax = str(dataset.file_meta.get("TransferSyntaxUID", ImplicitVRLittleEndian))
    return dataset, syntax, stream.tell()


def _pixels(header: InstanceHeader, syntax: str, at: int, data: bytes) -> Pixels | None:
    bits, rows, columns = (number(header, k) for k in ("BitsAllocated", "Rows", "Columns"))
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    inflated = syntax == DeflatedExplicitVRLittleEndian  # then `at` is no place in the file
    if bits is None or not rows or not columns:
        return None
    if not inflated and data[at : at + 4] != _PIXEL_DATA[order]:
        return None
    kind = "i" if number(header, "PixelRepresentation") == 1 else "u"
    whole = Pixels(
        # Pixel Data's own tag, VR and length come first (PS3.5 7.1.2 and 7.1.3).
        offset=at + (8 if syntax == ImplicitVRLittleEndian else 12),
        dtype=f"{order}{kind}{int(bits) // 8}",
        slope=_or(number(header, "RescaleSlope"), 1.0),
        intercept=_or(number(header, "RescaleIntercept"), 0.0),
        lossy="01" in tokens(header, "LossyImageCompression") or syntax not in _LOSSLESS,
        stored_shape=(int(rows), int(columns)),
        unused_bits=max(0, int(bits - _or(number(header, "BitsStored"), bits))),
        transfer_syntax_uid=syntax,
    )
    frames = max(1, int(number(header, "NumberOfFrames") or 1))
    complete = (whole.offset or 0) + frames * _frame_bytes(whole) <= len(data)
    direct = syntax in _UNCOMPRESSED and bits in (8, 16) and complete
    return whole if direct else replace(whole, offset=None)


def _frame_bytes(pixels: Pixels) -> int:
    rows, columns = pixels.stored_shape
    return rows * columns * int(pixels.dtype[-1])


def _or(value: float | None, default: float) -> float:
    return default if value is None else value
