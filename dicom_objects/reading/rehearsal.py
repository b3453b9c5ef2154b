"""Reading one file in every way that later steps do, to learn what it does to who reads it.

It runs in a process that may be lost (`workers.screening_child`): what passes here under limits of
memory and time passes later too, for the same bytes are read by the same code.
"""

from __future__ import annotations

import hashlib
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pydicom
from pydicom import config

from dicom_objects.attributes import DAMAGED, number
from dicom_objects.reading.damage import Damaged, DamagedImage
from dicom_objects.reading.headers import frames_of
from dicom_objects.reading.opening import looks_readable
from dicom_objects.reading.pixels import UndecodablePixels, decoded_frames, has_decoder
from dicom_objects.reading.roles import Role, role_of
from dicom_objects.reading.structure import check_structure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pydicom import Dataset

    from dicom_objects.reading.frames import Frame


def find_damage(path: Path) -> DamagedImage | None:
    """Read one file whole; return what is wrong with it, None where later steps may read it.

    Raises:
        MemoryError: it needs more memory than this process may use.

    """
    try:
        if _is_dicom(path):
            _read(path)
    except Damaged as error:
        return DamagedImage(path, error.code, str(error), name_of(path))
    except OSError:
        return None  # gone: who reads it says so
    return None


def name_of(path: Path) -> str:
    """Return "series 5, image 12" where the file says so, else the beginning of its digest."""
    try:
        with _quiet():
            tags = ["SeriesNumber", "InstanceNumber"]
            header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=tags)
            series, image = (number(header, keyword) for keyword in tags)
    except (*DAMAGED, OSError, MemoryError):
        series = image = None
    if series is not None and image is not None:
        return f"series {series:g}, image {image:g}"
    return f"the file with SHA-256 {digest_of(path)}"


def digest_of(path: Path) -> str:
    """Return the first eight digits of a file's SHA-256; empty for one that is gone."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:8]
    except OSError:
        return ""


def _is_dicom(path: Path) -> bool:
    """Whether anybody parses the file; then its structure is sound."""
    data = path.read_bytes()
    if data[128:132] == b"DICM":
        check_structure(data)
        return True
    return looks_readable(data)


def _read(path: Path) -> None:
    with _quiet():
        _convert(_header(path))
        frames = frames_of(path)
        if frames and frames[0].problem is None and role_of(frames[0]) is not Role.NOT_MR:
            _decode(frames)


@contextmanager
def _quiet() -> Iterator[None]:
    """Let pydicom say nothing: its warnings quote values, which are a patient's."""
    with warnings.catch_warnings(), config.disable_value_validation():
        warnings.simplefilter("ignore")
        yield


def _header(path: Path) -> Dataset:
    try:
        return pydicom.dcmread(path, stop_before_pixels=True, force=True)
    except RecursionError:
        raise Damaged("NESTED_TOO_DEEP", "has sequences nested too deep to be read") from None
    except (*DAMAGED, OSError) as error:
        text = f"has a header that cannot be read ({type(error).__name__})"
        raise Damaged("DAMAGED_HEADER", text) from None


def _convert(header: Dataset) -> None:
    """Make a value of every element: a value that has none reads as missing later."""
    levels = [header]
    while levels:
        level = levels.pop()
        for tag in list(level.keys()):
            try:
                value = level[tag].value
            except DAMAGED:
                continue
            levels += value if level[tag].VR == "SQ" else ()


def _decode(frames: Sequence[Frame]) -> None:
    """Decode what is not read straight from the file, a frame at a time."""
    pixels = frames[0].pixels
    if pixels is None or pixels.offset is not None or pixels.lossy:
        return
    if not has_decoder(pixels.transfer_syntax_uid):
        return  # the rules say so
    indices = sorted({(frame.frame_number or 1) - 1 for frame in frames})
    try:
        found = sum(
            image.shape[:2] == pixels.stored_shape for image in decoded_frames(frames[0], indices)
        )
    except UndecodablePixels:
        found = 0
    if found != len(indices):
        text = "has pixel data that are no image of rows x columns x frames"
        raise Damaged("DAMAGED_PIXELS", text)
