"""Whether an image is a trace or one diffusion direction, in each vendor's words (dicom.md A1).

Some vendors give directions in the patient's axes (Siemens, Philips, the standard), others in the
image's (GE, Canon's comments, some United Imaging releases). Here directions only tell images
apart, and count how many there are and whether they span space: neither depends on the axes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from dicom_objects.attributes import numbers, sequence, text
from dicom_objects.reading.csa import csa_numbers
from dicom_objects.reading.vendor_elements import (
    GE_AXES,
    GE_WORD,
    PHILIPS_AXES,
    PHILIPS_WORD,
    SIEMENS_MATRIX,
    SIEMENS_VECTOR,
    SIEMENS_WORD,
    UNITED_IMAGING_VECTOR,
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
# What each vendor's words mean (dicom.md A1).
_WORDS: tuple[tuple[VendorElement, dict[str, str]], ...] = (
    (SIEMENS_WORD, _STANDARD),
    # Isotropic; measurement, phase and slice axis; oblique. I stands on b=0 images too.
    (PHILIPS_WORD, {"I": ISOTROPIC, **dict.fromkeys("MPSO", DIRECTIONAL)}),
    (GE_WORD, {"14": NONE, "16": DIRECTIONAL, "18": ANISOTROPY_MAP, "19": ISOTROPIC}),
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
    for inner in sequence(header, "DiffusionGradientDirectionSequence")[:1]:
        yield numbers(inner, "DiffusionGradientOrientation")


def _vectors(header: ImageHeader, manufacturer: str) -> Iterator[Vector]:
    yield element_numbers(header, SIEMENS_VECTOR, manufacturer)
    yield element_numbers(header, UNITED_IMAGING_VECTOR, manufacturer)
    for axes in (GE_AXES, PHILIPS_AXES):
        parts = [element_numbers(header, element, manufacturer) for element in axes]
        if all(parts):
            yield tuple(part[0] for part in parts)


def _matrices(header: ImageHeader, manufacturer: str) -> Iterator[Vector]:
    siemens = element_numbers(header, SIEMENS_MATRIX, manufacturer)
    nested = sequence(header, "DiffusionBMatrixSequence")[:1]
    standard = (
        tuple(v for keyword in _MATRIX_KEYWORDS for v in numbers(matrix, keyword)[:1])
        for matrix in nested
    )
    for upper in (siemens, *standard):
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
