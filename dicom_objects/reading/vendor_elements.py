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


B_VALUES: tuple[VendorElement, ...] = (
    # syngo VB to VE and the classic export of XA: the only place of b (dicom.md A1).
    VendorElement(SIEMENS, 0x0019, "SIEMENS MR HEADER", 0x0C, "IS"),
    # First of four values; b=0 images of MR27 and later carry this only (dicom.md A1). 1e9 is added
    # on multi-b and synthetic series (dcm2niix issue 602).
    VendorElement(GE, 0x0043, "GEMS_PARM_01", 0x39, "IS"),
    # The only place in releases of about 2008; 1.7e38 where no b applies (dicom.md A1).
    VendorElement(PHILIPS, 0x2001, "PHILIPS IMAGING DD 001", 0x03, "FL"),
    # The b-value that the gradients made, not the protocol's (dicom.md A1).
    VendorElement(UNITED_IMAGING, 0x0065, "IMAGE PRIVATE HEADER", 0x09, "FD"),
)
NOMINAL_B = VendorElement(UNITED_IMAGING, 0x0065, "IMAGE PRIVATE HEADER", 0x0A, "FD")

SIEMENS_WORD = VendorElement(SIEMENS, 0x0019, "SIEMENS MR HEADER", 0x0D, "CS")
PHILIPS_WORD = VendorElement(PHILIPS, 0x2001, "PHILIPS IMAGING DD 001", 0x04, "CS")
# 14 T2, 16 direction, 18 anisotropy, 19 trace: dcm2niix issues 574, 690 and 777.
GE_WORD = VendorElement(GE, 0x0043, "GEMS_PARM_01", 0x30, "US")

SIEMENS_VECTOR = VendorElement(SIEMENS, 0x0019, "SIEMENS MR HEADER", 0x0E, "FD")
SIEMENS_MATRIX = VendorElement(SIEMENS, 0x0019, "SIEMENS MR HEADER", 0x27, "FD")
UNITED_IMAGING_VECTOR = VendorElement(UNITED_IMAGING, 0x0065, "IMAGE PRIVATE HEADER", 0x37, "FD")
# One element a component.
GE_AXES = tuple(VendorElement(GE, 0x0019, "GEMS_ACQU_01", k, "DS") for k in (0xBB, 0xBC, 0xBD))
PHILIPS_AXES = tuple(
    VendorElement(PHILIPS, 0x2005, "PHILIPS MR IMAGING DD 001", k, "FL") for k in (0xB0, 0xB1, 0xB2)
)

SIEMENS_TILE_COUNT = VendorElement(SIEMENS, 0x0019, "SIEMENS MR HEADER", 0x0A, "US")
SIEMENS_CSA = VendorElement(SIEMENS, 0x0029, "SIEMENS CSA HEADER", 0x10, "OB")
UNITED_IMAGING_TILES = VendorElement(UNITED_IMAGING, 0x0065, "IMAGE PRIVATE HEADER", 0x51, "SQ")

ELEMENTS: tuple[VendorElement, ...] = (
    *B_VALUES,
    NOMINAL_B,
    SIEMENS_WORD,
    PHILIPS_WORD,
    GE_WORD,
    SIEMENS_VECTOR,
    SIEMENS_MATRIX,
    UNITED_IMAGING_VECTOR,
    *GE_AXES,
    *PHILIPS_AXES,
    SIEMENS_TILE_COUNT,
    SIEMENS_CSA,
    UNITED_IMAGING_TILES,
)
"""Every private element that is read."""


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
