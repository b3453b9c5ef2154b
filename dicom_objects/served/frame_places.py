"""Where each frame of an object lies in its file (PS3.5 8 and A.4); nothing is decoded."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, BinaryIO

from pydicom.uid import ExplicitVRBigEndian

from dicom_objects.attributes import attribute, number
from dicom_objects.served.errors import NoSuchValue, NotEncodable
from dicom_objects.served.stored_object import stored_object

if TYPE_CHECKING:
    from pathlib import Path

    from dicom_objects.served.stored_object import StoredObject

_KEYWORDS = (
    "Rows",
    "Columns",
    "SamplesPerPixel",
    "BitsAllocated",
    "NumberOfFrames",
    "ExtendedOffsetTable",
)
_ITEM, _SEQUENCE_END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"
_MOST_FRAGMENTS = 200_000
_WORDS = {"OB": 1, "OW": 2, "OF": 4, "OD": 8}

Piece = tuple[int, int]
"""Offset in the file and length, bytes."""


@dataclass(frozen=True)
class FramePlaces:
    """The frames of an object, in order."""

    transfer_syntax_uid: str
    n_frames: int
    start: int
    """Of native pixel data."""
    frame_bits: int
    """Of native pixel data: frames of single bits need not begin at a byte."""
    word: int
    """Bytes of a word whose order has to be turned; 1: none."""
    encapsulated: tuple[tuple[Piece, ...], ...] = ()
    """Of each frame of encapsulated pixel data the fragments."""


def find_frames(path: Path) -> FramePlaces:
    """Return where the frames of an object lie.

    Raises:
        NoSuchValue: it has no pixel data.
        NotEncodable: which fragment is of which frame is not said.
        UnreadableObject: it is damaged.

    """
    with stored_object(path, _KEYWORDS) as stored:
        if stored.pixels is None:
            raise NoSuchValue("the object has no pixel data")
        frames = max(1, int(number(_View(stored), "NumberOfFrames") or 1))
        if stored.pixels.length is None:
            pieces = _encapsulated(stored, stored.pixels.start, frames)
            return FramePlaces(stored.transfer_syntax_uid, frames, 0, 0, 1, pieces)
        return _native(stored, stored.pixels.start, stored.pixels.length, frames)


@dataclass(frozen=True)
class _View:
    stored: StoredObject

    def get(self, key: str, /) -> object:
        return attribute(self.stored.dataset, key)


def _native(stored: StoredObject, start: int, length: int, frames: int) -> FramePlaces:
    view = _View(stored)
    sizes = (number(view, name) or 1 for name in ("SamplesPerPixel", "BitsAllocated"))
    rows, columns = (number(view, name) or 0 for name in ("Rows", "Columns"))
    bits = int(rows * columns)
    for size in sizes:
        bits *= int(size)
    if not bits or frames * bits > 8 * length:
        raise ValueError("pixel data is shorter than its frames")
    big = stored.transfer_syntax_uid == ExplicitVRBigEndian
    vr = stored.pixels.vr if stored.pixels else "OB"
    word = _WORDS.get(vr, 2) if big else 1
    if word > 1 and bits % (8 * word):
        raise NotEncodable("frames of big endian words that begin inside a word are not given")
    return FramePlaces(stored.transfer_syntax_uid, frames, start, bits, word)


def _encapsulated(stored: StoredObject, start: int, frames: int) -> tuple[tuple[Piece, ...], ...]:
    (table_at, table_length), *fragments = _items(stored.file, start, stored.size)
    if frames == 1:
        return (tuple(fragments),)
    if len(fragments) == frames:
        return tuple((fragment,) for fragment in fragments)
    offsets = _offsets(stored, table_at, table_length)
    if len(offsets) != frames or offsets[0] != 0:
        raise NotEncodable("the pixel data does not say which fragment is of which frame")
    first = table_at + table_length
    bounds = [*offsets, stored.size]
    return tuple(
        tuple(f for f in fragments if low <= f[0] - 8 - first < high)
        for low, high in pairwise(bounds)
    )


def _offsets(stored: StoredObject, at: int, length: int) -> tuple[int, ...]:
    """Return the offsets of frames from the Extended or the Basic Offset Table."""
    extended = attribute(stored.dataset, "ExtendedOffsetTable")
    if isinstance(extended, bytes) and extended:
        return struct.unpack(f"<{len(extended) // 8}Q", extended[: len(extended) // 8 * 8])
    stored.file.seek(at)
    table = stored.file.read(length)
    return struct.unpack(f"<{len(table) // 4}I", table[: len(table) // 4 * 4])


def _items(file: BinaryIO, at: int, size: int) -> list[Piece]:
    """Walk over the items of encapsulated pixel data, the offset table first."""
    found: list[Piece] = []
    while len(found) <= _MOST_FRAGMENTS:
        file.seek(at)
        head = file.read(8)
        if head[:4] == _SEQUENCE_END and found:
            return found
        if head[:4] != _ITEM or len(head) < 8:
            raise ValueError("what should be a fragment is none")
        (length,) = struct.unpack_from("<I", head, 4)
        if at + 8 + length > size:
            raise ValueError("a fragment is longer than the file")
        found.append((at + 8, length))
        at += 8 + length
    raise ValueError("too many fragments")
