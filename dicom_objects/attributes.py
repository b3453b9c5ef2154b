"""Reading single attributes of headers that scanners, archives and de-identifiers have handled.

A value that cannot be understood reads as missing; it never raises.
"""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, Any, Protocol

from pydicom.datadict import tag_for_keyword

if TYPE_CHECKING:
    from pydicom import Dataset

_BINARY = {"FD": "<d", "FL": "<f", "US": "<H", "SS": "<h", "UL": "<L", "SL": "<l"}
# What pydicom raises when the bytes of one element are not what its VR says.
_UNREADABLE = (ValueError, NotImplementedError, struct.error, OverflowError, EOFError, KeyError)


class Readable(Protocol):
    """What holds standard attributes: a pydicom data set, or an image's view of one."""

    def get(self, key: str, /) -> Any:  # noqa: ANN401
        """Return the value, None when the attribute is missing."""


class ImageHeader(Readable, Protocol):
    """What describes one image: standard attributes, and vendors' own by their creator."""

    def private(self, group: int, creator: str, offset: int) -> Any:  # noqa: ANN401
        """Return the value of an element in the block that `creator` reserved (PS3.5 7.8.1)."""

    def unowned(self, group: int, offset: int) -> Any:  # noqa: ANN401
        """Return the element of block 0x10 when no creator of its group is left at all."""


class InstanceHeader:
    """The header of a single-frame instance; its private blocks are looked for once."""

    def __init__(self, dataset: Dataset) -> None:
        """Keep the data set and note which creator reserved which block."""
        self._dataset = dataset
        # Tags from here on are not in the standard's groups; sorting out 150 of them is cheap.
        tags = [int(tag) for tag in dataset.keys() if int(tag) & 0x10000]  # noqa: SIM118
        self.has_private_groups = bool(tags)
        self._blocks: dict[tuple[int, str], int] = {}
        for tag in tags:
            if 0x10 <= tag & 0xFFFF <= 0xFF:
                creator = str(_element(dataset, tag)).strip().upper()
                self._blocks.setdefault((tag >> 16, creator), (tag & 0xFF) << 8)
        self._owned = {group for group, _ in self._blocks}

    def get(self, key: str, /) -> Any:  # noqa: ANN401
        """Return the value, None when the attribute is missing."""
        tag = tag_for_keyword(key)
        return None if tag is None else _element(self._dataset, tag)

    def private(self, group: int, creator: str, offset: int) -> Any:  # noqa: ANN401
        """Return the value of an element in the block that `creator` reserved (PS3.5 7.8.1)."""
        block = self._blocks.get((group, creator.upper()))
        return None if block is None else _element(self._dataset, group << 16 | block | offset)

    def unowned(self, group: int, offset: int) -> Any:  # noqa: ANN401
        """Return the element of block 0x10 when no creator of its group is left at all."""
        if group in self._owned:
            return None
        return _element(self._dataset, group << 16 | 0x1000 | offset)


def text(header: Readable, keyword: str) -> str:
    """Return the value as stripped text, "" when it is missing or empty."""
    value = _value(header, keyword)
    return "" if value is None else str(value).strip()


def tokens(header: Readable, keyword: str) -> tuple[str, ...]:
    """Return the values as upper-case texts."""
    return tuple(str(v).strip().upper() for v in _listed(_value(header, keyword)))


def number(header: Readable, keyword: str) -> float | None:
    """Return the first value as a finite number, else None."""
    found = numbers(header, keyword)
    return found[0] if found else None


def numbers(header: Readable, keyword: str) -> tuple[float, ...]:
    """Return all values as finite numbers; () when one of them is not."""
    return as_numbers(_value(header, keyword))


def private(header: ImageHeader, group: int, creator: str, offset: int, vr: str) -> Any:  # noqa: ANN401
    """Return a private element, None when it is missing.

    Implicit VR files and de-identifiers leave values as bytes of VR UN; they are decoded as `vr`.
    """
    return decoded(header.private(group, creator, offset), vr)


def decoded(value: Any, vr: str) -> Any:  # noqa: ANN401
    """Return bytes as what `vr` makes of them, anything else as it is."""
    if not isinstance(value, bytes):
        return value
    if vr in _BINARY:
        size = struct.calcsize(_BINARY[vr])
        count = len(value) // size
        return list(struct.unpack(f"<{count}{_BINARY[vr][1]}", value[: count * size]))
    return value.decode("ascii", "replace").strip("\x00 ").split("\\")


def as_numbers(value: Any) -> tuple[float, ...]:  # noqa: ANN401
    """Return one or many values as finite numbers; () when one of them is not."""
    result = []
    for item in _listed(value):
        try:
            result.append(float(item))
        except (TypeError, ValueError):
            return ()
    return tuple(result) if all(math.isfinite(v) for v in result) else ()


def _value(header: Readable, keyword: str) -> Any:  # noqa: ANN401
    try:
        return header.get(keyword)
    except _UNREADABLE:
        return None


def _element(dataset: Dataset, tag: int) -> Any:  # noqa: ANN401
    try:
        return dataset[tag].value if tag in dataset else None
    except _UNREADABLE:
        return None


def _listed(value: Any) -> list[Any]:  # noqa: ANN401
    if value is None or value == "":
        return []
    if isinstance(value, str | bytes):
        return [value]
    return list(value) if hasattr(value, "__iter__") else [value]
