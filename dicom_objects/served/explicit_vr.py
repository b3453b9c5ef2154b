"""A stored object in Explicit VR Little Endian, the encoding that DICOMweb defaults to.

The header is written anew; pixel data stays in the file, to be copied from there piece by piece.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

import pydicom
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_dataset
from pydicom.filewriter import write_dataset
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from dicom_objects.attributes import DAMAGED
from dicom_objects.served.errors import NotEncodable
from dicom_objects.served.stored_object import stored_object

if TYPE_CHECKING:
    from pathlib import Path

    from pydicom import Dataset

    from dicom_objects.served.stored_object import PixelElement, StoredObject

_WORDS = {"OB": 1, "OW": 2, "OF": 4, "OD": 8}
_TRAILING_PADDING = 0xFFFCFFFC


@dataclass(frozen=True)
class Reencoded:
    """What stands before the pixel data, where these are in the stored file, and what follows."""

    before: bytes
    start: int
    length: int
    word: int
    """Bytes of a word whose order has to be turned; 1: none."""
    after: bytes


def in_explicit_vr(path: Path) -> Reencoded:
    """Return the object in Explicit VR Little Endian.

    Raises:
        NotEncodable: it is compressed, or a value of it cannot be written.
        UnreadableObject: it is damaged.

    """
    with stored_object(path) as stored:
        if stored.transfer_syntax_uid not in (ImplicitVRLittleEndian, ExplicitVRBigEndian):
            raise NotEncodable("compressed objects are given as they are stored only")
        try:
            return _reencoded(stored)
        except DAMAGED as error:
            raise NotEncodable("a value of the object cannot be written in another way") from error


def _reencoded(stored: StoredObject) -> Reencoded:
    before = _header(stored.dataset)
    pixels = stored.pixels
    if pixels is None:
        return Reencoded(before, 0, 0, 1, b"")
    length = pixels.length or 0
    big = stored.transfer_syntax_uid == ExplicitVRBigEndian
    after = _after(stored, pixels.start + length, big=big)
    word = _WORDS.get(pixels.vr, 1) if big else 1
    return Reencoded(before + _pixel_head(pixels, length), pixels.start, length, word, after)


def _header(dataset: Dataset) -> bytes:
    for _ in dataset.iterall():  # values as such: raw bytes would be copied in their old order
        pass
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    written = BytesIO()
    pydicom.dcmwrite(
        written, dataset, implicit_vr=False, little_endian=True, enforce_file_format=True
    )
    return written.getvalue()


def _pixel_head(pixels: PixelElement, length: int) -> bytes:
    group, element = pixels.tag >> 16, pixels.tag & 0xFFFF
    return struct.pack("<HH2sHI", group, element, pixels.vr.encode("ascii"), 0, length)


def _after(stored: StoredObject, at: int, *, big: bool) -> bytes:
    """Return what stands after the pixel data, such as signatures, without mere padding."""
    stored.file.seek(at)
    rest = read_dataset(stored.file, not big, not big)
    if _TRAILING_PADDING in rest:
        del rest[_TRAILING_PADDING]
    for _ in rest.iterall():
        pass
    written = DicomBytesIO()
    written.is_little_endian, written.is_implicit_VR = True, False
    write_dataset(written, rest)
    return bytes(written.getvalue())
