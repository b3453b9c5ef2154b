"""Reading single attributes of headers that scanners, archives and de-identifiers have handled.

A value that cannot be understood reads as missing; it never raises.
"""

from __future__ import annotations

import math
import struct
import zlib
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.tag import BaseTag

if TYPE_CHECKING:
    from pydicom import Dataset

_BINARY = {"FD": "<d", "FL": "<f", "US": "<H", "SS": "<h", "UL": "<L", "SL": "<l"}
_PLAIN = frozenset(("CS", "DA", "DS", "DT", "IS", "LO", "SH", "TM", "UI"))
"""Text whose values are split at backslashes and padded with spaces (PS3.5 6.2)."""
DAMAGED = (
    AttributeError,
    BytesLengthException,
    EOFError,
    InvalidDicomError,
    KeyError,
    NotImplementedError,
    OSError,
    OverflowError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
"""What pydicom raises on damaged or foreign bytes; ValueError covers bad text and bad lengths,
OSError is an item that ends before its tag."""


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
        tags = [tag for tag in dataset.keys() if tag & 0x10000]  # noqa: SIM118
        self.has_private_groups = bool(tags)
        self._blocks: dict[tuple[int, str], int] = {}
        for tag in tags:
            if 0x10 <= tag & 0xFFFF <= 0xFF:
                creator = str(_element(dataset, tag)).strip().upper()
                self._blocks.setdefault((tag >> 16, creator), (tag & 0xFF) << 8)
        self._owned = {group for group, _ in self._blocks}

    def get(self, key: str, /) -> Any:  # noqa: ANN401
        """Return the value, None when the attribute is missing."""
        return attribute(self._dataset, key)

    def private(self, group: int, creator: str, offset: int) -> Any:  # noqa: ANN401
        """Return the value of an element in the block that `creator` reserved (PS3.5 7.8.1)."""
        block = self._blocks.get((group, creator.upper()))
        if block is None:
            return None
        return _element(self._dataset, BaseTag(group << 16 | block | offset))

    def unowned(self, group: int, offset: int) -> Any:  # noqa: ANN401
        """Return the element of block 0x10 when no creator of its group is left at all."""
        if group in self._owned:
            return None
        return _element(self._dataset, BaseTag(group << 16 | 0x1000 | offset))


def attribute(dataset: Dataset, keyword: str) -> Any:  # noqa: ANN401
    """Return the value of a standard attribute, None when it is missing."""
    return _element(dataset, _tag_of(keyword))


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


def sequence(header: Readable, keyword: str) -> list[Dataset]:
    """Return the items of a sequence, [] when it is missing or empty."""
    return [item for item in _listed(_value(header, keyword)) if hasattr(item, "get")]


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


@cache
def _tag_of(keyword: str) -> BaseTag:
    tag = tag_for_keyword(keyword)
    if tag is None:
        message = f"no attribute has the keyword {keyword}"
        raise LookupError(message)
    return BaseTag(tag)


def _value(header: Readable, keyword: str) -> Any:  # noqa: ANN401
    try:
        return header.get(keyword)
    except DAMAGED:
        return None


def _element(dataset: Dataset, tag: BaseTag) -> Any:  # noqa: ANN401
    try:
        raw: Any = dataset.get_item(tag)
        plain = _plain(raw) if isinstance(raw, RawDataElement) and raw.value else None
        return dataset[tag].value if plain is None and raw is not None else plain
    except DAMAGED:
        return None


def _plain(raw: RawDataElement) -> Any:  # noqa: ANN401
    """Return the value as pydicom would, in a tenth of its time; None where that may differ."""
    value = raw.value or b""
    if raw.VR in _BINARY and raw.is_little_endian:
        values = decoded(value, raw.VR)
        return values[0] if len(values) == 1 else values
    if raw.VR not in _PLAIN or not value.isascii() or b"\x1b" in value:
        return None
    parts = [part.strip("\0 ") for part in value.decode("ascii").split("\\")]
    return parts[0] if len(parts) == 1 else parts


def _listed(value: Any) -> list[Any]:  # noqa: ANN401
    if value is None or value == "":
        return []
    if isinstance(value, str | bytes):
        return [value]
    return list(value) if hasattr(value, "__iter__") else [value]
