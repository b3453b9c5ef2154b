"""Diffusion b-values: the standard attribute first, then each vendor's own (dicom.md A1, A3 R2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dicom_objects.attributes import as_numbers, number, private

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dicom_objects.attributes import ImageHeader

_LARGEST = 10_000.0
_GE_BIAS = 1_000_000_000
"""GE adds this to b on multi-b and synthetic series (dcm2niix issue 602)."""


@dataclass(frozen=True)
class PrivateB:
    """Where one vendor keeps the b-value in s/mm²; found by creator, never by fixed block."""

    vendor: str
    group: int
    creator: str
    offset: int
    vr: str

    @property
    def tag(self) -> str:
        """The element for people, for example "(0019,xx0C)"."""
        return f"({self.group:04X},xx{self.offset:02X})"


VENDORS: tuple[PrivateB, ...] = (
    PrivateB("Siemens", 0x0019, "SIEMENS MR HEADER", 0x0C, "IS"),
    PrivateB("GE", 0x0043, "GEMS_PARM_01", 0x39, "IS"),
    PrivateB("Philips", 0x2001, "Philips Imaging DD 001", 0x03, "FL"),
    PrivateB("United Imaging", 0x0065, "Image Private Header", 0x09, "FD"),
)


@dataclass(frozen=True)
class BReading:
    """The b-value that a header gives, in s/mm², and where it stood; None: it gives none."""

    value: float | None
    source: str
    conflict: tuple[float, str] | None = None
    """Another source of the same header that disagrees by more than 20 %."""


def read_b_value(header: ImageHeader) -> BReading:
    """Return the first source that holds a b-value, and a second one that contradicts it.

    Two sources conflict beyond 20 % and 5 s/mm² (dicom.md A3 R2): then neither is to be believed.
    """
    found = list(_sources(header))
    if not found:
        return BReading(None, "none")
    value, source = found[0]
    for other, name in found[1:]:
        if abs(other - value) > max(5.0, 0.2 * max(value, other)):
            return BReading(value, source, conflict=(other, name))
    return BReading(value, source)


def _sources(header: ImageHeader) -> Iterator[tuple[float, str]]:
    standard = number(header, "DiffusionBValue")
    if standard is not None and 0 <= standard <= _LARGEST:
        yield standard, "(0018,9087)"
    for row in VENDORS:
        values = as_numbers(private(header, row.group, row.creator, row.offset, row.vr)) or ()
        if values and values[0] >= 0:
            value = values[0] % _GE_BIAS if row.vendor == "GE" else values[0]
            # Philips writes about 1.7e38 where no b-value applies.
            if value <= _LARGEST:
                yield value, f"{row.vendor} {row.tag}"
