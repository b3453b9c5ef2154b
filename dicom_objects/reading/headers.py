"""From files to frames: each header is read once."""

from __future__ import annotations

import struct
import warnings
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import TYPE_CHECKING

import pydicom
from pydicom import config
from pydicom.errors import InvalidDicomError
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from dicom_objects.attributes import number, numbers, text, tokens
from dicom_objects.reading.bvalues import read_b_value
from dicom_objects.reading.directions import read_directionality, read_gradient
from dicom_objects.reading.frames import Frame, Pixels, Plane

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pydicom import Dataset

_UNCOMPRESSED = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian)
# What pydicom raises on damaged or foreign bytes; ValueError covers bad text and bad lengths.
_UNREADABLE = (
    InvalidDicomError,
    EOFError,
    ValueError,
    struct.error,
    NotImplementedError,
    KeyError,
    AttributeError,
    OverflowError,
    OSError,
)
_WITHOUT_PREAMBLE = (b"\x08\x00", b"\x02\x00")


def read_headers(paths: Sequence[Path]) -> tuple[tuple[Frame, ...], tuple[Path, ...]]:
    """Read the headers of all files; the second value lists what is not readable DICOM."""
    # What a header gets wrong is judged by the rules, not by warnings on the way.
    with warnings.catch_warnings(), config.disable_value_validation():
        warnings.simplefilter("ignore")
        with ThreadPoolExecutor(max_workers=4) as pool:
            found = list(pool.map(_read_or_none, paths))
    readable = tuple(instance for instance in found if instance is not None)
    unreadable = tuple(p for p, instance in zip(paths, found, strict=True) if instance is None)
    return readable, unreadable


def _read_or_none(path: Path) -> Frame | None:
    try:
        return _read(path)
    except _UNREADABLE:
        return None


def _read(path: Path) -> Frame:
    with path.open("rb") as file:
        start = file.read(132)
        force = start[:2] in _WITHOUT_PREAMBLE and start[128:] != b"DICM"
        if not force and start[128:] != b"DICM":
            message = "neither a preamble nor a data set"
            raise InvalidDicomError(message)
        data = start + file.read()
    stream = BytesIO(data)
    header = pydicom.dcmread(stream, stop_before_pixels=True, force=force)
    if not text(header, "SOPInstanceUID"):
        message = "no SOP Instance UID"
        raise InvalidDicomError(message)
    return Frame(
        path=path,
        frame_number=None,
        sop_class_uid=text(header, "SOPClassUID"),
        sop_instance_uid=text(header, "SOPInstanceUID"),
        study_uid=text(header, "StudyInstanceUID"),
        series_uid=text(header, "SeriesInstanceUID"),
        series_number=_integer(header, "SeriesNumber"),
        series_description=text(header, "SeriesDescription"),
        patient_id=text(header, "PatientID"),
        manufacturer=text(header, "Manufacturer"),
        patient_position=text(header, "PatientPosition"),
        image_type=tokens(header, "ImageType"),
        sequence_name=text(header, "SequenceName"),
        directionality=read_directionality(header),
        gradient=read_gradient(header),
        b=read_b_value(header),
        echo_time_ms=number(header, "EchoTime"),
        repeat=tuple(text(header, k) for k in _REPEAT_KEYWORDS),
        plane=_plane(header),
        pixels=_pixels(header, stream.tell(), len(data)),
    )


_REPEAT_KEYWORDS = ("AcquisitionNumber", "TemporalPositionIdentifier", "AcquisitionTime")


def _plane(header: Dataset) -> Plane | None:
    position = numbers(header, "ImagePositionPatient")
    orientation = numbers(header, "ImageOrientationPatient")
    spacing = numbers(header, "PixelSpacing")
    rows, columns = number(header, "Rows"), number(header, "Columns")
    if len(position) != 3 or len(orientation) != 6 or len(spacing) != 2 or not rows or not columns:
        return None
    frame = text(header, "FrameOfReferenceUID")
    return Plane(position, orientation, spacing, int(rows), int(columns), frame)


def _pixels(header: Dataset, end_of_header: int, size: int) -> Pixels | None:
    bits, rows, columns = (number(header, k) for k in ("BitsAllocated", "Rows", "Columns"))
    if bits is None or not rows or not columns:
        return None
    signed = number(header, "PixelRepresentation") == 1
    syntax = header.file_meta.get("TransferSyntaxUID", ImplicitVRLittleEndian)
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    # Pixel Data's own tag, VR and length come first (PS3.5 7.1.2 and 7.1.3).
    offset = end_of_header + (8 if syntax == ImplicitVRLittleEndian else 12)
    direct = syntax in _UNCOMPRESSED and offset + int(rows * columns * bits / 8) <= size
    return Pixels(
        offset=offset if direct and bits in (8, 16) else None,
        dtype=f"{order}{'i' if signed else 'u'}{int(bits) // 8}",
        slope=_or(number(header, "RescaleSlope"), 1.0),
        intercept=_or(number(header, "RescaleIntercept"), 0.0),
        lossy=text(header, "LossyImageCompression") == "01",
        stored_shape=(int(rows), int(columns)),
    )


def _integer(header: Dataset, keyword: str) -> int | None:
    value = number(header, keyword)
    return None if value is None else int(value)


def _or(value: float | None, default: float) -> float:
    return default if value is None else value
