"""Diffusion b-values: the standard attribute first, then each vendor's own (dicom.md A3 R2)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dicom_objects.attributes import as_numbers, number, text
from dicom_objects.reading.csa import csa_numbers
from dicom_objects.reading.vendor_elements import (
    B_VALUES,
    GE,
    NOMINAL_B,
    SIEMENS,
    UNITED_IMAGING,
    VendorElement,
    element_numbers,
    read_element,
    vendor_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dicom_objects.attributes import ImageHeader

_LARGEST = 10_000.0
_SENTINEL = 1e37
_GE_BIAS = 1_000_000_000

# Canon V6.0 writes "b=1500(0.895,0.000,0.445)" (dicom.md A1).
_COMMENT = re.compile(r"^\s*b=(\d+(?:\.\d+)?)\(", re.IGNORECASE)
# Not `ep_b0_2500`, an ADC map's name, nor `ep_b50_800`, a computed image's.
_SEQUENCE_NAME = re.compile(r"^\*?ep_b(\d+)(t|#\d+)?$")

Source = tuple[float, str]


@dataclass(frozen=True)
class BReading:
    """The b-value that a header gives, in s/mm², and where it stood; None: it gives none."""

    value: float | None
    source: str
    conflict: Source | None = None
    """What this value cannot be reconciled with: another source of the same header that differs
    by more than 20 %, or the end of the possible range."""
    nominal: float | None = None
    """The protocol's b-value where `value` is what the gradients made (United Imaging)."""
    doubt: Source | None = None
    """Another source that differs by 2 to 20 %: to be said, not to be refused."""


def read_b_value(
    header: ImageHeader, manufacturer: str = "", standard: str = "(0018,9087)"
) -> BReading:
    """Return the first source that holds a b-value, and a second one that differs from it.

    Two sources differ beyond 5 s/mm² and 2 %; beyond 20 % neither is to be believed.

    Args:
        header: of one image.
        manufacturer: its Manufacturer, a guard where private creators are gone.
        standard: what to call the standard attribute's place.

    """
    found = list(_sources(header, manufacturer, standard))
    if not found:
        return BReading(None, "none")
    value, source = found[0]
    conflict = _outside(value) or _differing(found, 0.2)
    doubt = None if conflict else _differing(found, 0.02)
    nominal = _nominal(header, manufacturer)
    return BReading(value, source, conflict, nominal, doubt)


def is_stripped(b: BReading, manufacturer: str, *, has_private_groups: bool) -> bool:
    """Whether a de-identifier took the b-value away with all private attributes.

    Siemens, GE and United Imaging keep it there; nothing else may have held it.
    """
    vendor = vendor_of(manufacturer)
    return b.value is None and not has_private_groups and vendor in {SIEMENS, GE, UNITED_IMAGING}


def _outside(value: float) -> Source | None:
    if value < 0:
        return 0.0, "the least possible b-value"
    return (_LARGEST, "the largest b-value believed") if value > _LARGEST else None


def _differing(found: list[Source], share: float) -> Source | None:
    value = found[0][0]
    for other, name in found[1:]:
        if abs(other - value) > max(5.0, share * max(value, other)):
            return other, name
    return None


def _nominal(header: ImageHeader, manufacturer: str) -> float | None:
    values = element_numbers(header, NOMINAL_B, manufacturer)
    return values[0] if values else None


def _sources(header: ImageHeader, manufacturer: str, standard: str) -> Iterator[Source]:
    before = [*_attributes(header, manufacturer, standard)]
    yield from before
    if not before:
        # A copy of (0019,xx0C), slower to read: only where that is missing.
        csa = csa_numbers(header, ("B_value",)).get("B_value")
        if csa:
            yield csa[0], f"{SIEMENS} CSA B_value"
    for keyword, pattern in (("ImageComments", _COMMENT), ("SequenceName", _SEQUENCE_NAME)):
        match = pattern.match(text(header, keyword))
        if match:
            yield float(match[1]), keyword


def _attributes(header: ImageHeader, manufacturer: str, standard: str) -> Iterator[Source]:
    b = number(header, "DiffusionBValue")
    if b is not None and b < _SENTINEL:
        yield b, standard
    for row in B_VALUES:
        found = read_element(header, row, manufacturer)
        values = as_numbers(found.value) if found else ()
        if found and values and values[0] < _SENTINEL:
            doubted = "" if found.owned else ", low confidence: its private creator is gone"
            yield _without_bias(row, values[0]), f"{row.vendor} {row.tag}{doubted}"


def _without_bias(row: VendorElement, value: float) -> float:
    return value % _GE_BIAS if row.vendor == GE and value >= 0 else value
