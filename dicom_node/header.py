"""Which object, study and series a data set is, read by a bounded walk over its first elements.

Nothing is decoded: no values, no pixels, no recursion (reliability.md fact 9). The walk ends at
Series Instance UID (0020,000E), which stands before all bulk data.
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from typing import BinaryIO, TypeAlias

from dicom_node.contexts import EXPLICIT_BE, IMPLICIT_LE
from dicom_node.errors import UnreadableHeader
from dicom_node.uid import Uid, parse_uid

SOP_CLASS = 0x0008_0016
SOP_INSTANCE = 0x0008_0018
STUDY = 0x0020_000D
SERIES = 0x0020_000E

Encoded: TypeAlias = bytes | bytearray | memoryview
MAX_ELEMENTS = 20_000
_START_BYTES = 1024**2
MAX_DEPTH = 32

_ENOUGH = 80  # bytes of a UID: one that is longer is none
_ITEM = 0xFFFE_E000
_ITEM_END = 0xFFFE_E00D
_SEQUENCE_END = 0xFFFE_E0DD
_UNDEFINED = 0xFFFF_FFFF
# PS3.5 7.1.2: these have two reserved bytes and a 32-bit length.
_LONG_VRS = frozenset(
    (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV")
)


@dataclass(frozen=True)
class InstanceHeader:
    """Which instance this is. Every UID has been checked."""

    sop_class_uid: Uid
    sop_instance_uid: Uid
    study_uid: Uid
    series_uid: Uid
    transfer_syntax_uid: Uid


class _Encoding:
    """How elements begin: Structs are compiled once, as a header has fifty elements."""

    def __init__(self, order: str, *, implicit: bool) -> None:
        self.implicit = implicit
        self.start = struct.Struct(f"{order}HH2sH")  # group, element, VR, 16-bit length
        self.length = struct.Struct(f"{order}I")


_IMPLICIT = _Encoding("<", implicit=True)
_EXPLICIT = _Encoding("<", implicit=False)
_BIG_ENDIAN = _Encoding(">", implicit=False)


def read_header(data_set: Encoded, transfer_syntax_uid: Uid) -> InstanceHeader:
    """Return the UIDs of an encoded data set (without file meta information).

    Raises `UnreadableHeader` where the walk or an element is missing, `InvalidUid` for a bad value.
    """
    found = _walk(data_set, _encoding(transfer_syntax_uid))

    def uid(tag: int, keyword: str) -> Uid:
        if tag not in found:
            message = f"the data set has no {keyword} ({tag >> 16:04X},{tag & 0xFFFF:04X})"
            raise UnreadableHeader(message)
        return parse_uid(found[tag], keyword)

    return InstanceHeader(
        sop_class_uid=uid(SOP_CLASS, "SOPClassUID"),
        sop_instance_uid=uid(SOP_INSTANCE, "SOPInstanceUID"),
        study_uid=uid(STUDY, "StudyInstanceUID"),
        series_uid=uid(SERIES, "SeriesInstanceUID"),
        transfer_syntax_uid=transfer_syntax_uid,
    )


def read_file_header(file: BinaryIO, offset: int, transfer_syntax_uid: Uid) -> InstanceHeader:
    """Do what `read_header` does for a data set that begins at `offset` of a file of any length.

    The first MiB is enough but for objects with longer elements before their UIDs.
    """
    file.seek(offset)
    try:
        return read_header(file.read(_START_BYTES), transfer_syntax_uid)
    except UnreadableHeader:
        if not file.read(1):
            raise
    with (
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped,
        memoryview(mapped) as whole,
        whole[offset:] as data_set,
    ):
        return read_header(data_set, transfer_syntax_uid)


def _encoding(transfer_syntax_uid: str) -> _Encoding:
    if transfer_syntax_uid == IMPLICIT_LE:
        return _IMPLICIT
    return _BIG_ENDIAN if transfer_syntax_uid == EXPLICIT_BE else _EXPLICIT


def _walk(data: Encoded, encoding: _Encoding) -> dict[int, bytes]:
    """Collect the four UIDs at the top level.

    Sequences and items of undefined length are entered (a stack of encodings stands for the
    recursion), everything with a length is stepped over.
    """
    wanted = (SOP_CLASS, SOP_INSTANCE, STUDY, SERIES)
    found: dict[int, bytes] = {}
    stack = [encoding]
    position = 0
    for _ in range(MAX_ELEMENTS):
        if position + 8 > len(data):
            return found
        tag, value, length, inside = _element(data, position, stack[-1])
        if len(stack) == 1 and tag > SERIES:
            return found
        if tag in (_ITEM_END, _SEQUENCE_END):
            _leave(stack)
        elif length == _UNDEFINED:
            _enter(stack, inside)
        else:
            if len(stack) == 1 and tag in wanted:
                found[tag] = bytes(data[value : value + min(length, _ENOUGH)])
            value += length
        position = value
        if position > len(data):
            raise UnreadableHeader("an element of the data set is longer than the data set")
    raise UnreadableHeader(f"more than {MAX_ELEMENTS} elements before SeriesInstanceUID")


def _element(data: Encoded, position: int, encoding: _Encoding) -> tuple[int, int, int, _Encoding]:
    """Return (tag, where the value begins, its length, the encoding inside it)."""
    group, element, vr, short = encoding.start.unpack_from(data, position)
    tag = group << 16 | element
    if encoding.implicit or group == 0xFFFE:
        (length,) = encoding.length.unpack_from(data, position + 4)
        return tag, position + 8, length, encoding
    if vr not in _LONG_VRS:
        return tag, position + 8, short, encoding
    if position + 12 > len(data):
        raise UnreadableHeader("the data set ends inside an element")
    (length,) = encoding.length.unpack_from(data, position + 8)
    # PS3.5 6.2.2 note 4: a UN of undefined length is a sequence in Implicit VR Little Endian.
    inside = _IMPLICIT if vr == b"UN" else encoding
    return tag, position + 12, length, inside


def _enter(stack: list[_Encoding], inside: _Encoding) -> None:
    if len(stack) > MAX_DEPTH:
        raise UnreadableHeader(f"sequences nested more than {MAX_DEPTH // 2} deep")
    stack.append(inside)


def _leave(stack: list[_Encoding]) -> None:
    if len(stack) == 1:
        raise UnreadableHeader("the data set ends a sequence that it did not begin")
    stack.pop()
