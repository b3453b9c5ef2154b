"""Where each vendor keeps what the standard attributes do not say: one row an element.

Sources: dicom.md A1 and A2, read from real files; the dcm2niix issues named beside a row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dicom_objects.attributes import as_numbers, decoded

if TYPE_CHECKING:
    from dicom_objects.attributes import ImageHeader

SIEMENS, GE, PHILIPS, UNITED_IMAGING = "Siemens", "GE", "Philips", "United Imaging"
CANON = "Canon"

_MANUFACTURERS = (
    (SIEMENS, "SIEMENS"),
    (GE, "GE "),
    (PHILIPS, "PHILIPS"),
    (UNITED_IMAGING, "UIH"),
    (UNITED_IMAGING, "UNITED IMAGING"),
    (CANON, "CANON"),
    (CANON, "TOSHIBA"),
)


@dataclass(frozen=True)
class VendorElement:
    """One private element; found by its creator, never by a fixed block (PS3.5 7.8.1)."""

    vendor: str
    group: int
    creator: str
    offset: int
    vr: str

    @property
    def tag(self) -> str:
        """The element for people, for example "(0019,xx0C)"."""
        return f"({self.group:04X},xx{self.offset:02X})"


@dataclass(frozen=True)
class VendorValue:
    """What an element holds; not `owned` when a de-identifier removed the block's creator."""

    value: Any
    owned: bool


def read_element(
    header: ImageHeader, element: VendorElement, manufacturer: str
) -> VendorValue | None:
    """Return the element's value, None when it is missing.

    Some de-identifiers remove private creators and leave the elements behind (CTP on
    QIN-PROSTATE): block 0x10 is then believed when the manufacturer is the element's vendor.
    """
    value = header.private(element.group, element.creator, element.offset)
    owned = value is not None
    if not owned and vendor_of(manufacturer) == element.vendor:
        value = header.unowned(element.group, element.offset)
    return None if value is None else VendorValue(decoded(value, element.vr), owned)


def element_numbers(
    header: ImageHeader, element: VendorElement, manufacturer: str
) -> tuple[float, ...]:
    """Return the element's values as finite numbers, () when it has none."""
    found = read_element(header, element, manufacturer)
    return () if found is None else as_numbers(found.value)


def vendor_of(manufacturer: str) -> str:
    """Return the vendor that Manufacturer (0008,0070) names, "" for any other."""
    name = manufacturer.upper().strip() + " "
    return next((vendor for vendor, word in _MANUFACTURERS if name.startswith(word)), "")
