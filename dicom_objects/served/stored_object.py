"""Opening a stored object to hand it out: the header is read, pixel data stay in the file."""

from __future__ import annotations

import struct
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import pydicom
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from dicom_objects.attributes import DAMAGED
from dicom_objects.served.errors import UnreadableObject

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pydicom import Dataset

_PIXEL_TAGS = {0x7FE00008: "OF", 0x7FE00009: "OD", 0x7FE00010: "OW"}
_UNDEFINED = 0xFFFFFFFF


@dataclass(frozen=True)
class PixelElement:
    """Pixel Data, Float Pixel Data or Double Float Pixel Data, as it lies in the file."""

    tag: int
    vr: str
    start: int
    """Of the value, bytes from the beginning of the file."""
    length: int | None
    """In bytes; None: encapsulated (PS3.5 A.4)."""


@dataclass(frozen=True)
class StoredObject:
    """The header of an object, and its open file."""

    file: BinaryIO
    dataset: Dataset
    transfer_syntax_uid: str
    pixels: PixelElement | None
    size: int
    """Of the file, bytes."""


@contextmanager
def stored_object(path: Path, keywords: Sequence[str] | None = None) -> Iterator[StoredObject]:
    """Open an object; with `keywords` only these attributes are read.

    Raises:
        UnreadableObject: what is in the file is no data set.
        OSError: there is no such file.

    """
    with path.open("rb") as file:
        try:
            yield _read(file, keywords)
        except (*DAMAGED, TypeError) as error:
            text = f"the object is damaged ({type(error).__name__}): it cannot be read"
            raise UnreadableObject(text) from error


def _read(file: BinaryIO, keywords: Sequence[str] | None) -> StoredObject:
    tags = None if keywords is None else list(keywords)
    dataset = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=tags)
    syntax = str(dataset.file_meta.TransferSyntaxUID)
    at = file.tell()
    size = file.seek(0, 2)
    pixels = None if syntax == DeflatedExplicitVRLittleEndian else _pixels(file, at, size, syntax)
    return StoredObject(file, dataset, syntax, pixels, size)


def _pixels(file: BinaryIO, at: int, size: int, syntax: str) -> PixelElement | None:
    """Read tag, VR and length of the element at which the header ended (PS3.5 7.1)."""
    file.seek(at)
    head = file.read(12)
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    if len(head) < 12:
        return None
    group, element = struct.unpack_from(f"{order}HH", head)
    tag = group << 16 | element
    if tag not in _PIXEL_TAGS:
        return None
    if syntax == ImplicitVRLittleEndian:
        (length,) = struct.unpack_from("<I", head, 4)
        vr, start = _PIXEL_TAGS[tag], at + 8
    else:
        (length,) = struct.unpack_from(f"{order}I", head, 8)
        vr, start = head[4:6].decode("ascii"), at + 12
    if length == _UNDEFINED:
        return PixelElement(tag, vr, start, None)
    if start + length > size:
        raise ValueError("pixel data is longer than the file")
    return PixelElement(tag, vr, start, length)
