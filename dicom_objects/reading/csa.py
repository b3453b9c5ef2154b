"""Siemens CSA image header, (0029,xx10) of creator "SIEMENS CSA HEADER", syngo VA to VE.

The format is not published; this follows its description in nibabel's documentation ("Siemens
format DICOM with CSA header"). Syngo XA writes none.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from dicom_objects.attributes import as_numbers

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from dicom_objects.attributes import ImageHeader

_TAG = struct.Struct("<64si4siii")
_ITEM = struct.Struct("<4i")
_MOST_ELEMENTS = 1000
_MOST_ITEMS = 10_000


def csa_numbers(header: ImageHeader, names: Collection[str]) -> dict[str, tuple[float, ...]]:
    """Return the named elements that the CSA header holds and that are numbers."""
    data = header.private(0x0029, "SIEMENS CSA HEADER", 0x10)
    if not isinstance(data, bytes):
        return {}
    found: dict[str, tuple[float, ...]] = {}
    try:
        for name, values in _elements(data):
            if name in names:
                found[name] = as_numbers([v for v in values if v])
    except struct.error:  # cut off: what was read so far stands
        pass
    return {name: values for name, values in found.items() if values}


def _elements(data: bytes) -> Iterator[tuple[str, list[str]]]:
    second_version = data[:4] == b"SV10"
    at = 8 if second_version else 0
    count = struct.unpack_from("<I", data, at)[0]
    at += 8
    first_items: int | None = None
    for _ in range(min(count, _MOST_ELEMENTS)):
        name, _vm, _vr, _, items, _ = _TAG.unpack_from(data, at)
        at += _TAG.size
        first_items = items if first_items is None else first_items
        values = []
        for _ in range(min(items, _MOST_ITEMS)):
            lengths = _ITEM.unpack_from(data, at)
            at += _ITEM.size
            # The first version writes each length raised by the first element's item count.
            length = lengths[1] if second_version else lengths[0] - first_items
            if length < 0 or at + length > len(data):
                return
            values.append(data[at : at + length].split(b"\0")[0].decode("latin-1").strip())
            at += (length + 3) // 4 * 4
        yield name.split(b"\0")[0].decode("latin-1"), values
