"""Whether a file can be parsed at a price that is known before: one walk, no recursion.

What makes a parser recurse, or build millions of objects of few bytes, is found here and told in
words; values are neither read nor judged. What is merely odd is left to pydicom and to the rules.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, replace
from functools import cache

from pydicom.datadict import dictionary_VR
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian

from dicom_objects.reading.damage import Damaged

MOST_ELEMENTS = 500_000
"""Of one file, items counted too. Enhanced objects of 1000 frames have 200 000."""
MOST_NESTED = 32
"""Sequences inside each other; documents nest up to ten."""
LARGEST_INFLATED_MIB = 256
"""Of a deflated data set."""

_LONG = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
_PIXEL_DATA = frozenset((0x7FE00008, 0x7FE00009, 0x7FE00010))
_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_META_END = 132


class _OddError(ValueError):
    """Not what PS3.5 says, and not what this walk has to judge."""


@dataclass(frozen=True)
class _Level:
    """A data set, an item, or (`items`) a sequence that is being walked through."""

    end: int
    open: bool
    """Ended by a delimiter, not by its length."""
    items: bool
    implicit: bool
    order: str


def check_structure(data: bytes) -> None:
    """Walk through a whole file with preamble, nested items too.

    Raises:
        Damaged: `TRUNCATED`, `NESTED_TOO_DEEP`, `TOO_MANY_ELEMENTS` or `INFLATES_TOO_LARGE`.

    """
    try:
        syntax, at = _meta(data)
        if syntax == DeflatedExplicitVRLittleEndian:
            data, at = _inflated(data[at:]), 0
        order = ">" if syntax == ExplicitVRBigEndian else "<"
        # As pydicom does: the first VR decides, for some writers say one encoding and use another.
        implicit = not data[at + 4 : at + 6].isalpha()
        _Walk(data, _Level(len(data), False, False, implicit, order)).go(at)
    except _OddError:
        return


def _meta(data: bytes) -> tuple[str, int]:
    """Return the transfer syntax, "" without one, and where the data set begins (PS3.10 7.1)."""
    at, syntax = _META_END, ""
    while data[at : at + 2] == b"\x02\x00":
        if at + 12 > len(data):
            raise Damaged("TRUNCATED", "ends inside its file meta information")
        _, element, vr, length = struct.unpack_from("<HH2sH", data, at)
        at += 8
        if vr in _LONG:
            (length,) = struct.unpack_from("<L", data, at)
            at += 4
        if element == 0x0010:
            syntax = data[at : at + length].rstrip(b"\0 ").decode("latin-1")
        at += length
    if at > len(data):
        raise Damaged("TRUNCATED", "ends inside its file meta information")
    return syntax, at


def _inflated(data: bytes) -> bytes:
    """Return a deflated data set (PS3.5 A.5), never more of it than the limit."""
    limit = LARGEST_INFLATED_MIB * 2**20
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        whole = stream.decompress(data, limit)
    except zlib.error:
        raise Damaged("DAMAGED_HEADER", "is deflated and cannot be inflated") from None
    if stream.unconsumed_tail:
        text = f"inflates to more than {LARGEST_INFLATED_MIB} MiB"
        raise Damaged("INFLATES_TOO_LARGE", text)
    if not stream.eof:
        raise Damaged("TRUNCATED", "ends inside its deflated data set")
    return whole


class _Walk:
    """One pass over the elements of a data set; a list of levels stands for the recursion."""

    def __init__(self, data: bytes, top: _Level) -> None:
        self._data = data
        self._levels = [top]
        self._count = 0
        self._pixels_seen = False

    def go(self, at: int) -> None:
        """Walk from `at` to the end."""
        levels = self._levels
        while levels:
            level = levels[-1]
            if at >= level.end:
                if level.open and level.end == len(self._data):
                    raise self._cut("ends inside a sequence")
                levels.pop()
                at = level.end
                continue
            self._count += 1
            if self._count > MOST_ELEMENTS:
                text = f"has more than {MOST_ELEMENTS} elements and items"
                raise Damaged("TOO_MANY_ELEMENTS", text)
            at = self._item(level, at) if level.items else self._element(level, at)

    def _item(self, level: _Level, at: int) -> int:
        tag, length = self._head(level, at)
        if tag == _SEQUENCE_END:
            self._levels.pop()
            return at + 8
        if tag != _ITEM:
            raise _OddError
        return self._enter(replace(level, items=False), at + 8, length)

    def _element(self, level: _Level, at: int) -> int:
        tag, length = self._head(level, at)
        if tag == _ITEM_END:
            self._levels.pop()
            return at + 8
        vr, at = b"", at + 8
        if not level.implicit:
            vr, length, at = self._explicit(level, at, length)
        if vr == b"UN":  # a sequence in it has this encoding (PS3.5 6.2.2 note 4)
            level = replace(level, implicit=True, order="<")
        if length != _UNDEFINED and at + length > len(self._data) and tag not in _PIXEL_DATA:
            # A parser that asks for so many bytes at once reserves them first.
            raise self._cut(f"ends inside the element ({tag >> 16:04X},{tag & 0xFFFF:04X})")
        unsaid = vr in (b"", b"UN") and (length == _UNDEFINED or _is_sequence(tag))
        if (vr == b"SQ" or unsaid) and tag not in _PIXEL_DATA:
            return self._enter(replace(level, items=True), at, length)
        if len(self._levels) == 1 and tag in _PIXEL_DATA:
            self._pixels_seen = True
        if length == _UNDEFINED:
            return self._fragments(tag, at)
        return at + length

    def _head(self, level: _Level, at: int) -> tuple[int, int]:
        if at + 8 > len(self._data):
            if len(self._levels) == 1:
                raise _OddError  # a few bytes of padding
            raise self._cut("ends inside the head of an element")
        group, element, length = struct.unpack_from(f"{level.order}HHL", self._data, at)
        return group << 16 | element, length

    def _explicit(self, level: _Level, at: int, word: int) -> tuple[bytes, int, int]:
        """Return VR, length and where the value begins; `word` are VR and length in one."""
        vr = self._data[at - 4 : at - 2]
        if vr not in _LONG:
            return vr, word >> 16 if level.order == "<" else word & 0xFFFF, at
        if at + 4 > len(self._data):
            raise self._cut("ends inside the head of an element")
        (length,) = struct.unpack_from(f"{level.order}L", self._data, at)
        return vr, length, at + 4

    def _enter(self, level: _Level, at: int, length: int) -> int:
        if len(self._levels) > 2 * MOST_NESTED:
            raise Damaged("NESTED_TOO_DEEP", f"has sequences nested more than {MOST_NESTED} deep")
        is_open = length == _UNDEFINED
        end = level.end if is_open else min(at + length, level.end)
        self._levels.append(replace(level, end=end, open=is_open))
        return at

    def _fragments(self, tag: int, at: int) -> int:
        """Step over the fragments of encapsulated pixel data (PS3.5 A.4)."""
        if tag not in _PIXEL_DATA:
            raise _OddError
        while True:
            head, length = self._head(self._levels[-1], at)
            if head == _SEQUENCE_END:
                return at + 8
            if head != _ITEM or length == _UNDEFINED:
                raise Damaged("DAMAGED_PIXELS", "has pixel data that are not made of fragments")
            at += 8 + length
            if at > len(self._data):
                raise Damaged("TRUNCATED", "ends inside a fragment of its pixel data")

    def _cut(self, text: str) -> Exception:
        """Say that the file ends too early; what follows the pixels is often mere padding."""
        return _OddError() if self._pixels_seen else Damaged("TRUNCATED", text)


@cache
def _is_sequence(tag: int) -> bool:
    try:
        return dictionary_VR(tag) == "SQ"
    except KeyError:
        return False
