"""The few messages that a sender needs, as bytes (PS3.8 section 9.3, PS3.7 section 9.3 and E.1).

By hand, so that the sender costs less than what it measures, and can say what no codec would.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

EXPLICIT_LE = "1.2.840.10008.1.2.1"
VERIFICATION = "1.2.840.10008.1.1"
MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"

ASSOCIATE_RQ, ASSOCIATE_AC, ASSOCIATE_RJ, P_DATA, RELEASE_RQ, RELEASE_RP, ABORT = range(1, 8)
RELEASE = struct.pack(">BxIxxxx", RELEASE_RQ, 4)
HEADER_BYTES = 6
_APPLICATION_CONTEXT = "1.2.840.10008.3.1.1.1"
_IMPLEMENTATION = "2.25.316230208622588311436189660710167314677"
_CALLING = "BENCH"

_C_STORE_RQ, _C_ECHO_RQ = 0x0001, 0x0030
_NO_DATA_SET, _DATA_SET = 0x0101, 0x0001
_COMMAND_LAST, _DATA, _DATA_LAST = 3, 0, 2
_STATUS = 0x0900


class Accepted(NamedTuple):
    """What an A-ASSOCIATE-AC says."""

    maximum_pdu: int
    contexts: frozenset[int]
    """Those that were accepted."""


def pdu(kind: int, body: bytes) -> bytes:
    """Return a whole PDU."""
    return header(kind, len(body)) + body


def header(kind: int, length: int) -> bytes:
    """Return the six bytes before the body of a PDU, whatever its body will be."""
    return struct.pack(">BxI", kind, length)


def association_request(called: str, contexts: Mapping[int, str], maximum_pdu: int) -> bytes:
    """Return an A-ASSOCIATE-RQ for abstract syntaxes in Explicit VR Little Endian."""
    fixed = struct.pack(">H2x16s16s32x", 1, _title(called), _title(_CALLING))
    items = [_item(0x10, _APPLICATION_CONTEXT.encode())]
    for number, abstract_syntax in contexts.items():
        syntaxes = _item(0x30, abstract_syntax.encode()) + _item(0x40, EXPLICIT_LE.encode())
        items.append(_item(0x20, struct.pack("B3x", number) + syntaxes))
    user = _item(0x51, struct.pack(">I", maximum_pdu)) + _item(0x52, _IMPLEMENTATION.encode())
    items.append(_item(0x50, user))
    return pdu(ASSOCIATE_RQ, fixed + b"".join(items))


def read_accept(body: bytes) -> Accepted:
    """Read the body of an A-ASSOCIATE-AC."""
    maximum_pdu, contexts = 0, set()
    for kind, value in _items(body[68:]):
        if kind == 0x21 and value[2] == 0:
            contexts.add(value[0])
        if kind == 0x50:
            lengths = [inner for sort, inner in _items(value) if sort == 0x51]
            maximum_pdu = struct.unpack(">I", lengths[0])[0] if lengths else 0
    return Accepted(maximum_pdu, frozenset(contexts))


def echo_request(context: int) -> bytes:
    """Return a C-ECHO-RQ as one PDU."""
    elements = [(0x0002, _uid(VERIFICATION)), (0x0100, _us(_C_ECHO_RQ)), (0x0110, _us(1))]
    return _command(context, [*elements, (0x0800, _us(_NO_DATA_SET))])


def store_request(context: int, sop_instance_uid: str, number: int) -> bytes:
    """Return the command of a C-STORE-RQ for an MR image as one PDU; its data set follows."""
    elements = [
        (0x0002, _uid(MR_IMAGE)),
        (0x0100, _us(_C_STORE_RQ)),
        (0x0110, _us(number & 0xFFFF)),
        (0x0700, _us(0)),
        (0x0800, _us(_DATA_SET)),
        (0x1000, _uid(sop_instance_uid)),
    ]
    return _command(context, elements)


def data_headers(context: int, length: int, maximum_pdu: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield, for each PDU of a data set, what stands before its part and where that is."""
    most = (maximum_pdu or 2**17) - HEADER_BYTES
    for begin in range(0, length, most):
        end = min(length, begin + most)
        flags = _DATA_LAST if end == length else _DATA
        size = end - begin
        head = header(P_DATA, size + HEADER_BYTES) + struct.pack(">IBB", size + 2, context, flags)
        yield head, begin, end


def status_of(body: bytes) -> int:
    """Return the status in the body of a P-DATA-TF that holds a whole response."""
    command = memoryview(body)[HEADER_BYTES:]
    position = 0
    while position + 8 <= len(command):
        element, length = struct.unpack_from("<2xHI", command, position)
        if element == _STATUS:
            return int.from_bytes(command[position + 8 : position + 8 + length], "little")
        position += 8 + length
    raise ValueError("the answer has no status")


def _command(context: int, elements: list[tuple[int, bytes]]) -> bytes:
    values = b"".join(struct.pack("<HHI", 0, e, len(value)) + value for e, value in elements)
    whole = struct.pack("<HHII", 0, 0, 4, len(values)) + values
    return pdu(P_DATA, struct.pack(">IBB", len(whole) + 2, context, _COMMAND_LAST) + whole)


def _item(kind: int, value: bytes) -> bytes:
    return struct.pack(">BxH", kind, len(value)) + value


def _items(body: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    while position + 4 <= len(body):
        kind, length = struct.unpack_from(">BxH", body, position)
        yield kind, body[position + 4 : position + 4 + length]
        position += 4 + length


def _title(text: str) -> bytes:
    return text.encode().ljust(16)


def _us(value: int) -> bytes:
    return struct.pack("<H", value)


def _uid(text: str) -> bytes:
    return text.encode() + b"\0" * (len(text) % 2)
