"""DIMSE command sets, read and written by hand (PS3.7 section 6.3 and Annex E).

A command set is always Implicit VR Little Endian and has a dozen short elements. pydicom would take
longer to read one than the disk takes to keep an image.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dicom_node.acceptor.violations import malformed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dicom_node.acceptor.services import EventReport

C_STORE, C_GET, C_FIND, C_MOVE, C_ECHO = 0x0001, 0x0010, 0x0020, 0x0021, 0x0030
N_EVENT_REPORT, N_GET, N_SET, N_ACTION = 0x0100, 0x0110, 0x0120, 0x0130
N_CREATE, N_DELETE = 0x0140, 0x0150
C_CANCEL = 0x0FFF
RESPONSE = 0x8000
_COMPOSITE = (C_STORE, C_GET, C_FIND, C_MOVE, C_ECHO)
REQUESTS = frozenset((*_COMPOSITE, *range(N_EVENT_REPORT, N_DELETE + 1, 0x0010)))

# Elements of group 0000.
_GROUP_LENGTH, _FIELD, _DATA_SET, _STATUS = 0x0000, 0x0100, 0x0800, 0x0900
_MESSAGE_ID, _RESPONDED_ID, _PRIORITY = 0x0110, 0x0120, 0x0700
_AFFECTED_CLASS, _REQUESTED_CLASS = 0x0002, 0x0003
_AFFECTED_INSTANCE, _REQUESTED_INSTANCE = 0x1000, 0x1001
_EVENT_TYPE, _ACTION_TYPE = 0x1002, 0x1008
_NO_DATA_SET = 0x0101
_WITH_DATA_SET = 0x0001

MAXIMUM_BYTES = 16 * 1024
_ELEMENT = struct.Struct("<HHI")
_US = struct.Struct("<H")


@dataclass(frozen=True, slots=True)
class Command:
    """What is needed of a command set; UIDs as the peer wrote them, without padding."""

    field: int
    message_id: int  # of a response: the one it responds to
    has_data_set: bool
    sop_class_uid: bytes  # affected or requested
    sop_instance_uid: bytes
    type_id: int = 0  # Event Type ID or Action Type ID
    status: int = 0  # of a response


def read_command(encoded: bytes | bytearray) -> Command:
    """Read a command set; raises `Violation` for one that cannot be answered."""
    found = _elements(encoded)
    field = _number(found, _FIELD)
    responds = bool(field & RESPONSE) or field == C_CANCEL
    return Command(
        field=field,
        message_id=_number(found, _RESPONDED_ID if responds else _MESSAGE_ID),
        has_data_set=_number(found, _DATA_SET) != _NO_DATA_SET,
        sop_class_uid=_uid(found, _AFFECTED_CLASS) or _uid(found, _REQUESTED_CLASS),
        sop_instance_uid=_uid(found, _AFFECTED_INSTANCE) or _uid(found, _REQUESTED_INSTANCE),
        type_id=_number(found, _EVENT_TYPE, 0) or _number(found, _ACTION_TYPE, 0),
        status=_number(found, _STATUS) if field & RESPONSE else 0,
    )


def response(request: Command, status: int, *, with_data_set: bool = False) -> bytes:
    """Return the command set that answers a request with a status."""
    elements = {
        _FIELD: _US.pack(request.field | RESPONSE),
        _RESPONDED_ID: _US.pack(request.message_id),
        _DATA_SET: _US.pack(_WITH_DATA_SET if with_data_set else _NO_DATA_SET),
        _STATUS: _US.pack(status),
    }
    if request.sop_class_uid:
        elements[_AFFECTED_CLASS] = request.sop_class_uid
    if request.sop_instance_uid:
        elements[_AFFECTED_INSTANCE] = request.sop_instance_uid
    if request.field in (N_EVENT_REPORT, N_ACTION):
        kind = _EVENT_TYPE if request.field == N_EVENT_REPORT else _ACTION_TYPE
        elements[kind] = _US.pack(request.type_id)
    return _encoded(elements)


def event_report(report: EventReport, message_id: int) -> bytes:
    """Return the command set of an N-EVENT-REPORT-RQ."""
    return _encoded(
        {
            _AFFECTED_CLASS: report.sop_class_uid.encode("ascii"),
            _FIELD: _US.pack(N_EVENT_REPORT),
            _MESSAGE_ID: _US.pack(message_id),
            _DATA_SET: _US.pack(_WITH_DATA_SET if report.data_set else _NO_DATA_SET),
            _AFFECTED_INSTANCE: report.sop_instance_uid.encode("ascii"),
            _EVENT_TYPE: _US.pack(report.event_type_id),
        }
    )


def _elements(encoded: bytes | bytearray) -> dict[int, bytes]:
    """Return the elements by their number in group 0000."""
    found: dict[int, bytes] = {}
    position, end = 0, len(encoded)
    while position < end:
        if end - position < _ELEMENT.size:
            raise malformed("a command set ends inside an element")
        group, element, length = _ELEMENT.unpack_from(encoded, position)
        position += _ELEMENT.size
        if group != 0 or length > end - position:
            raise malformed("a command set holds an element that none has")
        found[element] = bytes(encoded[position : position + length])
        position += length
    return found


def _number(found: Mapping[int, bytes], element: int, default: int | None = None) -> int:
    value = found.get(element)
    if value is None and default is not None:
        return default
    if value is None or len(value) != _US.size:
        raise malformed(f"a command set has no number in (0000,{element:04X})")
    return int(_US.unpack(value)[0])


def _uid(found: Mapping[int, bytes], element: int) -> bytes:
    return found.get(element, b"").rstrip(b"\0 ")


def _encoded(elements: Mapping[int, bytes]) -> bytes:
    body = b"".join(_element(number, elements[number]) for number in sorted(elements))
    return _element(_GROUP_LENGTH, struct.pack("<I", len(body))) + body


def _element(number: int, value: bytes) -> bytes:
    padded = value + b"\0" * (len(value) % 2)
    return _ELEMENT.pack(0, number, len(padded)) + padded
