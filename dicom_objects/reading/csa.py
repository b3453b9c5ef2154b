"""Siemens CSA image header, (0029,xx10) of creator "SIEMENS CSA HEADER", syngo VA to VE.

The format is not published; this follows its description in nibabel's documentation ("Siemens
format DICOM with CSA header"). Elements have fixed-size names, so that one is found without
reading those before it. Syngo XA writes no such header.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from dicom_objects.attributes import as_numbers
from dicom_objects.reading.vendor_elements import SIEMENS_CSA

if TYPE_CHECKING:
    from collections.abc import Collection

    from dicom_objects.attributes import ImageHeader

_ELEMENT = struct.Struct("<64s i 4s 3i")
_ITEM = struct.Struct("<4i")
_SECOND_VERSION = b"SV10"
_MOST_ITEMS = 1000


def csa_numbers(header: ImageHeader, names: Collection[str]) -> dict[str, tuple[float, ...]]:
    """Return the named elements that the CSA header holds and that are numbers."""
    data = header.private(SIEMENS_CSA.group, SIEMENS_CSA.creator, SIEMENS_CSA.offset)
    if not isinstance(data, bytes):
        return {}
    found = {name: as_numbers(_values(data, name)) for name in names}
    return {name: values for name, values in found.items() if values}


def _values(data: bytes, name: str) -> list[str]:
    """Return the element's items that are not empty; [] when it is missing or cut off."""
    at = _place(data, name)
    try:
        return _items(data, at) if at is not None else []
    except struct.error:
        return []


def _place(data: bytes, name: str) -> int | None:
    """Elements begin at multiples of four, their name at the start and ended by a zero."""
    wanted = name.encode("ascii") + b"\0"
    at = data.find(wanted)
    while at > 0 and at % 4:
        at = data.find(wanted, at + 1)
    return at if at > 0 else None


def _items(data: bytes, at: int) -> list[str]:
    count = _ELEMENT.unpack_from(data, at)[4]
    at += _ELEMENT.size
    # The first version writes each length raised by the item count of the first element.
    second = data[:4] == _SECOND_VERSION
    raised = 0 if second else _ELEMENT.unpack_from(data, 8)[4]
    values = []
    for _ in range(min(count, _MOST_ITEMS)):
        lengths = _ITEM.unpack_from(data, at)
        at += _ITEM.size
        length = lengths[1] if second else lengths[0] - raised
        if length < 0 or at + length > len(data):
            break
        values.append(data[at : at + length].split(b"\0")[0].decode("latin-1").strip())
        at += (length + 3) // 4 * 4
    return [value for value in values if value]
