"""Whether an image is a trace or one diffusion direction, in each vendor's words (dicom.md A1).

Some vendors give directions in the patient's axes (Siemens, Philips, the standard), others in the
image's (GE, Canon's comments, some United Imaging releases). Here directions only tell images
apart, and count how many there are and whether they span space: neither depends on the axes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from dicom_objects.attributes import numbers, text
from dicom_objects.reading.csa import csa_numbers
from dicom_objects.reading.vendor_elements import (
    GE,
    PHILIPS,
    SIEMENS,
    UNITED_IMAGING,
    VendorElement,
    element_numbers,
    read_element,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dicom_objects.attributes import ImageHeader

NONE, ISOTROPIC, DIRECTIONAL, ANISOTROPY_MAP = "NONE", "ISOTROPIC", "DIRECTIONAL", "FA"
Vector = tuple[float, ...]

_STANDARD = {
    "ISOTROPIC": ISOTROPIC,
    "DIRECTIONAL": DIRECTIONAL,
    "BMATRIX": DIRECTIONAL,
    "NONE": NONE,
}
# One row an element, and what its words mean (dicom.md A1).
_WORDS: tuple[tuple[VendorElement, dict[str, str]], ...] = (
    (VendorElement(SIEMENS, 0x0019, "SIEMENS MR HEADER", 0x0D, "CS"), _STANDARD),
    (
        # Isotropic; measurement, phase and slice axis; oblique. I stands on b=0 images too.
        VendorElement(PHILIPS, 0x2001, "PHILIPS IMAGING DD 001", 0x04, "CS"),
        {"I": ISOTROPIC, **dict.fromkeys("MPSO", DIRECTIONAL)},
    ),
    (
        # dcm2niix issues 574, 690 and 777.
        VendorElement(GE, 0x0043, "GEMS_PARM_01", 0x30, "US"),
        {"14": NONE, "16": DIRECTIONAL, "18": ANISOTROPY_MAP, "19": ISOTROPIC},
    ),
)

_SIEMENS_VECTOR = VendorElement(SIEMENS, 0x0019, "SIEMENS MR HEADER", 0x0E, "FD")
_SIEMENS_MATRIX = VendorElement(SIEMENS, 0x0019, "SIEMENS MR HEADER", 0x27, "FD")
_UNITED_IMAGING_VECTOR = VendorElement(UNITED_IMAGING, 0x0065, "IMAGE PRIVATE HEADER", 0x37, "FD")
# One element a component.
_GE_AXES = tuple(VendorElement(GE, 0x0019, "GEMS_ACQU_01", k, "DS") for k in (0xBB, 0xBC, 0xBD))
_PHILIPS_AXES = tuple(
    VendorElement(PHILIPS, 0x2005, "PHILIPS MR IMAGING DD 001", k, "FL") for k in (0xB0, 0xB1, 0xB2)
)
# "b=1500(0.895,0.000,0.445)": Canon V6.0 gives the direction nowhere else.
_COMMENT = re.compile(r"^\s*b=[\d.]+\(([^,()]+),([^,()]+),([^,()]+)\)", re.IGNORECASE)
_MATRIX_KEYWORDS = tuple(f"DiffusionBValue{axes}" for axes in ("XX", "XY", "XZ", "YY", "YZ", "ZZ"))
_LONGEST = 1.1
"""Unit vectors are at most this long; Philips writes 1.7e38 where none applies."""


def read_directionality(header: ImageHeader, manufacturer: str = "") -> str:
    """Return ISOTROPIC, DIRECTIONAL, NONE or FA; "" when the header does not say."""
    standard = _STANDARD.get(text(header, "DiffusionDirectionality").upper())
    if standard:
        return standard
    for element, meaning in _WORDS:
        found = read_element(header, element, manufacturer)
        value = found.value if found else None
        first = value[0] if isinstance(value, list) and value else value
        if first is not None and str(first).strip().upper() in meaning:
            return meaning[str(first).strip().upper()]
    return ""


def read_gradient(header: ImageHeader, manufacturer: str = "") -> Vector | None:
    """Return the gradient direction (x, y, z), None when the header has none.

    A vector of zeros is one: it stands on b=0 images and on traces.
    """
    found = (vector for source in _SOURCES for vector in source(header, manufacturer))
    return next((v for v in found if len(v) == 3 and max(map(abs, v)) <= _LONGEST), None)


def _attribute(header: ImageHeader, _manufacturer: str) -> Iterator[Vector]:
    yield numbers(header, "DiffusionGradientOrientation")


def _vectors(header: ImageHeader, manufacturer: str) -> Iterator[Vector]:
    yield element_numbers(header, _SIEMENS_VECTOR, manufacturer)
    yield element_numbers(header, _UNITED_IMAGING_VECTOR, manufacturer)
    for axes in (_GE_AXES, _PHILIPS_AXES):
        parts = [element_numbers(header, element, manufacturer) for element in axes]
        if all(parts):
            yield tuple(part[0] for part in parts)


def _matrices(header: ImageHeader, manufacturer: str) -> Iterator[Vector]:
    siemens = element_numbers(header, _SIEMENS_MATRIX, manufacturer)
    standard = tuple(v for k in _MATRIX_KEYWORDS for v in numbers(header, k)[:1])
    for upper in (siemens, standard):
        if len(upper) == 6:
            yield principal_direction(upper)


def _texts(header: ImageHeader, _manufacturer: str) -> Iterator[Vector]:
    match = _COMMENT.match(text(header, "ImageComments"))
    if match:
        try:
            yield tuple(float(part) for part in match.groups())
        except ValueError:
            return


def _csa(header: ImageHeader, _manufacturer: str) -> Iterator[Vector]:
    yield csa_numbers(header, ("DiffusionGradientDirection",)).get("DiffusionGradientDirection", ())


_SOURCES: tuple[Callable[[ImageHeader, str], Iterator[Vector]], ...] = (
    _attribute,
    _vectors,
    _matrices,
    _texts,
    _csa,
)


def principal_direction(upper: Vector) -> Vector:
    """Return the axis of a b-matrix (xx, xy, xz, yy, yz, zz), its largest component positive.

    A b-matrix is b·g·gᵀ: it gives the axis, not which way along it. Zeros give zeros.
    """
    if not any(upper):
        return (0.0, 0.0, 0.0)
    xx, xy, xz, yy, yz, zz = upper
    _, axes = np.linalg.eigh(np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]]))
    axis = axes[:, -1]
    return tuple((axis * np.sign(axis[np.argmax(np.abs(axis))])).tolist())
