"""Whether an image is a trace or one diffusion direction, in each vendor's words (dicom.md A1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicom_objects.attributes import as_numbers, numbers, private, text

if TYPE_CHECKING:
    from dicom_objects.attributes import ImageHeader

NONE, ISOTROPIC, DIRECTIONAL, ANISOTROPY_MAP = "NONE", "ISOTROPIC", "DIRECTIONAL", "FA"

# Vendor, group, creator, element, VR, and what its values mean.
_VENDORS: tuple[tuple[int, str, int, str, dict[str, str]], ...] = (
    (
        0x0019,
        "SIEMENS MR HEADER",
        0x0D,
        "CS",
        {"ISOTROPIC": ISOTROPIC, "DIRECTIONAL": DIRECTIONAL, "BMATRIX": DIRECTIONAL, "NONE": NONE},
    ),
    (
        0x2001,
        "Philips Imaging DD 001",
        0x04,
        "CS",
        {
            "I": ISOTROPIC,
            "M": DIRECTIONAL,
            "P": DIRECTIONAL,
            "S": DIRECTIONAL,
            "O": DIRECTIONAL,
        },
    ),
    (
        0x0043,
        "GEMS_PARM_01",
        0x30,
        "US",
        {"14": NONE, "16": DIRECTIONAL, "18": ANISOTROPY_MAP, "19": ISOTROPIC},
    ),
)
_STANDARD = {
    "ISOTROPIC": ISOTROPIC,
    "DIRECTIONAL": DIRECTIONAL,
    "BMATRIX": DIRECTIONAL,
    "NONE": NONE,
}


def read_directionality(header: ImageHeader) -> str:
    """Return ISOTROPIC, DIRECTIONAL, NONE or FA; "" when the header does not say."""
    standard = _STANDARD.get(text(header, "DiffusionDirectionality").upper())
    if standard:
        return standard
    for group, creator, offset, vr, meaning in _VENDORS:
        value = private(header, group, creator, offset, vr)
        first = value[0] if isinstance(value, list) and value else value
        if first is not None and str(first).strip() in meaning:
            return meaning[str(first).strip()]
    return ""


def read_gradient(header: ImageHeader) -> tuple[float, ...] | None:
    """Return the gradient direction (x, y, z), None when the header has none."""
    gradient = numbers(header, "DiffusionGradientOrientation")
    if not gradient:
        value = private(header, 0x0019, "SIEMENS MR HEADER", 0x0E, "FD")
        gradient = as_numbers(value)
    return gradient if len(gradient) == 3 else None
