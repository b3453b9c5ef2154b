"""Reading single attributes of headers that scanners, archives and de-identifiers have handled.

A value that cannot be understood reads as missing; it never raises.
"""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydicom import Dataset

_BINARY = {"FD": "<d", "FL": "<f", "US": "<H", "SS": "<h", "UL": "<L", "SL": "<l"}


def text(header: Dataset, keyword: str) -> str:
    """Return the value as stripped text, "" when it is missing or empty."""
    value = _value(header, keyword)
    return "" if value is None else str(value).strip()


def tokens(header: Dataset, keyword: str) -> tuple[str, ...]:
    """Return the values as upper-case texts."""
    return tuple(str(v).strip().upper() for v in _listed(_value(header, keyword)))


def number(header: Dataset, keyword: str) -> float | None:
    """Return the first value as a finite number, else None."""
    found = numbers(header, keyword)
    return found[0] if found else None


def numbers(header: Dataset, keyword: str) -> tuple[float, ...]:
    """Return all values as finite numbers; () when one of them is not."""
    return as_numbers(_value(header, keyword))


def private(header: Dataset, group: int, creator: str, offset: int, vr: str) -> Any:  # noqa: ANN401
    """Return the private element that `creator` reserved (PS3.5 7.8.1), None when it is missing.

    Implicit VR files and de-identifiers leave values as bytes of VR UN; they are decoded as `vr`.
    """
    try:
        value = header.private_block(group, creator)[offset].value
    except (KeyError, ValueError, NotImplementedError, struct.error):
        return None
    return _decode(value, vr) if isinstance(value, bytes) else value


def as_numbers(value: Any) -> tuple[float, ...]:  # noqa: ANN401
    """Return one or many values as finite numbers; () when one of them is not."""
    result = []
    for item in _listed(value):
        try:
            result.append(float(item))
        except (TypeError, ValueError):
            return ()
    return tuple(result) if all(math.isfinite(v) for v in result) else ()


def _value(header: Dataset, keyword: str) -> Any:  # noqa: ANN401
    try:
        return header.get(keyword)
    except (ValueError, NotImplementedError, struct.error, OverflowError):
        return None


def _listed(value: Any) -> list[Any]:  # noqa: ANN401
    if value is None or value == "":
        return []
    if isinstance(value, str | bytes):
        return [value]
    return list(value) if hasattr(value, "__iter__") else [value]


def _decode(value: bytes, vr: str) -> Any:  # noqa: ANN401
    if vr in _BINARY:
        size = struct.calcsize(_BINARY[vr])
        count = len(value) // size
        return list(struct.unpack(f"<{count}{_BINARY[vr][1]}", value[: count * size]))
    return value.decode("ascii", "replace").strip("\x00 ").split("\\")
