"""DICOM files (PS3.10): file meta information of our own before the bytes of the sender.

The preamble is always 128 zero bytes: a received one may hide another file format
(CVE-2019-11687). The data set after it is byte for byte what was received.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from dicom_node.errors import UnreadableHeader
from dicom_node.uid import Uid, parse_uid

if TYPE_CHECKING:
    from pathlib import Path

IMPLEMENTATION_CLASS_UID = "2.25.316230208622588311436189660710167314677"
"""The same as on the objects that `dicom_objects` writes; a test holds them together."""


def _implementation_version() -> str:
    """Return at most 16 characters (PS3.7 D.3.3.2.3), without a number where not installed."""
    try:
        return f"OSTEON_{version('osteon')}"[:16]
    except PackageNotFoundError:
        return "OSTEON"


IMPLEMENTATION_VERSION = _implementation_version()

_PREFIX = bytes(128) + b"DICM"
_MAX_META = 64 * 1024


@dataclass(frozen=True)
class FileMeta:
    """What the file meta information says of the file."""

    sop_class_uid: Uid
    sop_instance_uid: Uid
    transfer_syntax_uid: Uid
    offset: int  # bytes before the data set


def file_prefix(sop_class_uid: Uid, sop_instance_uid: Uid, transfer_syntax_uid: Uid) -> bytes:
    """Return everything that stands before the data set: preamble, "DICM", group 0002."""
    elements = b"".join(
        (
            struct.pack("<HH2sHIH", 2, 0x0001, b"OB", 0, 2, 0x0100),
            _uid(0x0002, sop_class_uid),
            _uid(0x0003, sop_instance_uid),
            _uid(0x0010, transfer_syntax_uid),
            _uid(0x0012, IMPLEMENTATION_CLASS_UID),
            _short(0x0013, b"SH", IMPLEMENTATION_VERSION, b" "),
        )
    )
    group_length = struct.pack("<HH2sHI", 2, 0, b"UL", 4, len(elements))
    return _PREFIX + group_length + elements


def read_meta(path: Path) -> FileMeta:
    """Read the file meta information of any DICOM file.

    Raises `UnreadableHeader` for a file that is not DICOM or does not say what it holds.
    """
    with path.open("rb") as file:
        return parse_meta(file.read(len(_PREFIX) + 12 + _MAX_META))


def has_mark(start: bytes) -> bool:
    """Tell whether these first bytes of a file say that it is DICOM (PS3.10 7.1)."""
    return start[128:132] == b"DICM"


def parse_meta(start: bytes) -> FileMeta:
    """Read the file meta information from the first bytes of a file."""
    begin = len(_PREFIX)
    if not has_mark(start):
        raise UnreadableHeader("not a DICOM file: the mark DICM is missing")
    values: dict[int, bytes] = {}
    while start[begin : begin + 2] == b"\x02\x00":
        element, vr, value, length = _meta_element(start, begin)
        values[element] = start[value : value + length] if vr == b"UI" else b""
        begin = value + length
    try:
        sop_class, instance, syntax = (values[tag] for tag in (0x0002, 0x0003, 0x0010))
    except KeyError:
        raise UnreadableHeader("the file meta information lacks a UID it must have") from None
    return FileMeta(
        sop_class_uid=parse_uid(sop_class, "MediaStorageSOPClassUID"),
        sop_instance_uid=parse_uid(instance, "MediaStorageSOPInstanceUID"),
        transfer_syntax_uid=parse_uid(syntax, "TransferSyntaxUID"),
        offset=begin,
    )


def _meta_element(start: bytes, position: int) -> tuple[int, bytes, int, int]:
    """Return (element number, VR, where its value begins, its length) of one of group 0002."""
    try:
        element, vr, short = struct.unpack_from("<H2sH", start, position + 2)
        if vr in (b"OB", b"UN"):
            (length,) = struct.unpack_from("<I", start, position + 8)
            value = position + 12
        else:
            length, value = short, position + 8
    except struct.error:
        raise UnreadableHeader("the file ends inside its file meta information") from None
    if value + length > len(start):
        raise UnreadableHeader("the file meta information is cut off or too long")
    return element, vr, value, length


def _uid(element: int, uid: str) -> bytes:
    return _short(element, b"UI", uid, b"\0")


def _short(element: int, vr: bytes, text: str, padding: bytes) -> bytes:
    value = text.encode("ascii")
    value += padding * (len(value) % 2)
    return struct.pack("<HH2sH", 2, element, vr, len(value)) + value
