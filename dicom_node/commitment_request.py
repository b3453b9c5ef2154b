"""What a peer asks us to commit to, and our report: the data sets of PS3.4 Tables J.3-1 and J.3-2.

Read by a bounded walk and without a parser of whole data sets, for anybody who comes in may send
one: no values but UIDs are looked at, nothing nests, and its length has a limit.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dicom_node.contexts import EXPLICIT_LE, IMPLICIT_LE
from dicom_node.errors import DicomNodeError
from dicom_node.uid import Uid, parse_uid

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PUSH_MODEL = Uid("1.2.840.10008.1.20.1")
PUSH_MODEL_INSTANCE = Uid("1.2.840.10008.1.20.1.1")
"""The well-known one (PS3.4 J.3.5)."""

MOST_BYTES = 2 * 1024 * 1024
MOST_REFERENCES = 20_000

NO_SUCH_OBJECT = 0x0112
CLASS_INSTANCE_CONFLICT = 0x0119
PROCESSING_FAILURE = 0x0110

_TRANSACTION = 0x0008_1195
_REFERENCED, _FAILED = 0x0008_1199, 0x0008_1198
_CLASS, _INSTANCE, _REASON = 0x0008_1150, 0x0008_1155, 0x0008_1197
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFE_E000, 0xFFFE_E00D, 0xFFFE_E0DD
_UNDEFINED = 0xFFFF_FFFF
# PS3.5 7.1.2: these have two reserved bytes and a 32-bit length.
_LONG_VRS = frozenset(
    (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV")
)


class UnreadableRequest(DicomNodeError):  # noqa: N818 - this names the condition
    """A request of storage commitment that does not say what to commit to."""

    code = "UNREADABLE_REQUEST"


@dataclass(frozen=True)
class Asked:
    """One object that a peer asks us to keep."""

    sop_class_uid: Uid
    sop_instance_uid: Uid


@dataclass(frozen=True)
class CommitmentRequest:
    """What was asked for under one transaction."""

    transaction_uid: Uid
    objects: tuple[Asked, ...]


@dataclass(frozen=True)
class Decision:
    """What we answer for: the objects that are kept, and the others each with its reason."""

    transaction_uid: Uid
    kept: tuple[Asked, ...]
    failed: tuple[tuple[Asked, int], ...] = ()

    @property
    def event_type_id(self) -> int:
        """1: all are committed; 2: some are not (PS3.4 J.3.3.1)."""
        return 2 if self.failed else 1


def read_request(data_set: bytes, transfer_syntax_uid: str) -> CommitmentRequest:
    """Read the action information of an N-ACTION; raises `UnreadableRequest` or `InvalidUid`."""
    if len(data_set) > MOST_BYTES:
        raise UnreadableRequest(f"the request has more than {MOST_BYTES} bytes")
    try:
        return _read(_Walk(data_set, implicit=transfer_syntax_uid == IMPLICIT_LE))
    except struct.error:
        raise UnreadableRequest("the request ends inside an element") from None


def encode_report(decision: Decision, transfer_syntax_uid: str) -> bytes:
    """Return the event information of an N-EVENT-REPORT, sequences of defined length."""
    form = _Form(implicit=transfer_syntax_uid != EXPLICIT_LE)
    kept = [form.reference(asked) for asked in decision.kept]
    failed = [
        form.reference(asked) + form.element(_REASON, b"US", struct.pack("<H", reason))
        for asked, reason in decision.failed
    ]
    parts = [form.uid(_TRANSACTION, decision.transaction_uid)]
    if failed:
        parts.append(form.sequence(_FAILED, failed))
    if kept:
        parts.append(form.sequence(_REFERENCED, kept))
    return b"".join(parts)


@dataclass(frozen=True)
class _Walk:
    data: bytes
    implicit: bool

    def elements(self, begin: int, end: int) -> Iterator[tuple[int, int, int]]:
        """Yield (tag, where its value begins, where it ends); a sequence's end may be undefined."""
        while begin < end:
            tag, value, length = self.element(begin)
            if length == _UNDEFINED:
                if tag != _REFERENCED:
                    raise UnreadableRequest("an element of undefined length is none that we know")
                yield tag, value, -1
                return  # the caller goes on behind it
            if value + length > end:
                raise UnreadableRequest("an element is longer than what it stands in")
            yield tag, value, value + length
            begin = value + length

    def element(self, at: int) -> tuple[int, int, int]:
        """Return (tag, where its value begins, its length)."""
        group, element = struct.unpack_from("<HH", self.data, at)
        tag = group << 16 | element
        if self.implicit or group == 0xFFFE:
            return tag, at + 8, struct.unpack_from("<I", self.data, at + 4)[0]
        if self.data[at + 4 : at + 6] in _LONG_VRS:
            return tag, at + 12, struct.unpack_from("<I", self.data, at + 8)[0]
        return tag, at + 8, struct.unpack_from("<H", self.data, at + 6)[0]

    def items(self, begin: int, end: int) -> tuple[list[dict[int, bytes]], int]:
        """Return the items of a sequence as tag to value, and where it ends (-1: not known yet)."""
        found: list[dict[int, bytes]] = []
        stop = len(self.data) if end < 0 else end
        while begin < stop:
            tag, value, length = self.element(begin)
            if tag == _SEQUENCE_END and end < 0:
                return found, value
            if tag != _ITEM or len(found) == MOST_REFERENCES:
                raise UnreadableRequest("a sequence holds something else than items, or too many")
            begin = self._item(found, value, length, stop)
        if end < 0:
            raise UnreadableRequest("a sequence does not end")
        return found, end

    def _item(self, found: list[dict[int, bytes]], begin: int, length: int, stop: int) -> int:
        item: dict[int, bytes] = {}
        found.append(item)
        end = stop if length == _UNDEFINED else begin + length
        if end > stop:
            raise UnreadableRequest("an item is longer than its sequence")
        while begin < end:
            tag, value, size = self.element(begin)
            if tag == _ITEM_END:
                return value
            if size == _UNDEFINED or value + size > end:
                raise UnreadableRequest("an element of an item is longer than the item")
            item[tag] = self.data[value : value + size]
            begin = value + size
        if length == _UNDEFINED:
            raise UnreadableRequest("an item does not end")
        return end


def _read(walk: _Walk) -> CommitmentRequest:
    begin, transaction, items = 0, b"", None
    while begin < len(walk.data):
        start = begin
        for tag, value, end in walk.elements(begin, len(walk.data)):
            begin = end
            if tag == _TRANSACTION:
                transaction = walk.data[value:end]
            elif tag == _REFERENCED:
                items, begin = walk.items(value, end)
        if begin <= start:
            raise UnreadableRequest("the request does not end where its elements end")
    if not items:
        raise UnreadableRequest("the request names no object")
    objects = tuple(_asked(item) for item in items)
    return CommitmentRequest(parse_uid(transaction, "TransactionUID"), objects)


def _asked(item: dict[int, bytes]) -> Asked:
    return Asked(
        parse_uid(item.get(_CLASS, b""), "ReferencedSOPClassUID"),
        parse_uid(item.get(_INSTANCE, b""), "ReferencedSOPInstanceUID"),
    )


@dataclass(frozen=True)
class _Form:
    """Writes elements."""

    implicit: bool

    def element(self, tag: int, vr: bytes, value: bytes) -> bytes:
        head = struct.pack("<HH", tag >> 16, tag & 0xFFFF)
        if self.implicit:
            return head + struct.pack("<I", len(value)) + value
        if vr in _LONG_VRS:
            return head + vr + b"\0\0" + struct.pack("<I", len(value)) + value
        return head + vr + struct.pack("<H", len(value)) + value

    def uid(self, tag: int, uid: str) -> bytes:
        text = uid.encode("ascii")
        return self.element(tag, b"UI", text + b"\0" * (len(text) % 2))

    def reference(self, asked: Asked) -> bytes:
        return self.uid(_CLASS, asked.sop_class_uid) + self.uid(_INSTANCE, asked.sop_instance_uid)

    def sequence(self, tag: int, items: Sequence[bytes]) -> bytes:
        head = struct.pack("<HH", _ITEM >> 16, _ITEM & 0xFFFF)
        value = b"".join(head + struct.pack("<I", len(item)) + item for item in items)
        return self.element(tag, b"SQ", value)
