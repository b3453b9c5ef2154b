"""A-ASSOCIATE-RQs before they are decoded: titles at their places, and lengths that add up."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from dicom_node.acceptor.violations import malformed
from dicom_node.rejection import AssociationRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

_VERSION_1 = 0x0001
_FIXED_BYTES = 68  # of an A-ASSOCIATE-RQ after its header, before its items
_ITEM = struct.Struct(">BxH")
_CONTEXT_ITEM, _USER_ITEM = 0x20, 0x50
_ABSTRACT_SYNTAX, _TRANSFER_SYNTAX = 0x30, 0x40
_MAXIMUM_CONTEXTS = 128  # IDs are odd and of one byte
_MAXIMUM_ITEMS = 4096  # of any kind; 64 KiB would hold 16384 empty ones


class ProtocolVersionUnknown(AssociationRefused):
    """The peer speaks another version of the upper layer protocol."""

    code = "PROTOCOL_VERSION_UNKNOWN"
    source = 2
    reason = 2


def titles(request: bytes) -> tuple[str, str]:
    """Return called and calling AE title, read by hand: strangers shall not cost a decoding."""
    if len(request) < _FIXED_BYTES:
        raise malformed("an A-ASSOCIATE-RQ ends before its items")
    if not request[1] & _VERSION_1:
        raise ProtocolVersionUnknown("the peer speaks another version of the protocol")
    titles = request[4:20], request[20:36]
    if not all(title.isascii() and title.strip(b" \0") for title in titles):
        raise malformed("an A-ASSOCIATE-RQ has an AE title that is none")
    called, calling = (title.decode("ascii").strip(" \0") for title in titles)
    return called, calling


def walk(request: bytes) -> None:
    """Check lengths and counts of items, of items in items, and the contexts."""
    ids = []
    count = 0
    for kind, begin, end in _items(request, _FIXED_BYTES, len(request)):
        inside: list[int] = []
        if kind == _CONTEXT_ITEM:
            ids.append(request[begin])
            inside = [sub for sub, *_ in _items(request, begin + 4, end)]
            if inside.count(_ABSTRACT_SYNTAX) != 1 or _TRANSFER_SYNTAX not in inside:
                raise malformed("a presentation context lacks its abstract or transfer syntax")
        elif kind == _USER_ITEM:
            inside = [sub for sub, *_ in _items(request, begin, end)]
        count += 1 + len(inside)
    if count > _MAXIMUM_ITEMS:
        raise malformed(f"an A-ASSOCIATE-RQ has more than {_MAXIMUM_ITEMS} items")
    if not 1 <= len(set(ids)) == len(ids) <= _MAXIMUM_CONTEXTS or not all(i % 2 for i in ids):
        raise malformed("an A-ASSOCIATE-RQ has no presentation contexts with odd IDs of their own")


def _items(request: bytes, position: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield (type, where its value begins, where it ends) of items side by side."""
    while position < end:
        if end - position < _ITEM.size:
            raise malformed("an A-ASSOCIATE-RQ ends inside an item")
        kind, length = _ITEM.unpack_from(request, position)
        begin = position + _ITEM.size
        position = begin + length
        if position > end or (kind == _CONTEXT_ITEM and length < 4):
            raise malformed("an item of an A-ASSOCIATE-RQ is not as long as it says")
        yield kind, begin, position
