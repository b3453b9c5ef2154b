"""What an image is in a diffusion study, decided before its b-value is trusted (dicom.md A3 R1)."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

from pydicom.uid import EnhancedMRImageStorage, MRImageStorage

from dicom_objects.reading import directions

if TYPE_CHECKING:
    from collections.abc import Callable

    from dicom_objects.reading.frames import Frame

LEGACY_CONVERTED_MR = "1.2.840.10008.5.1.4.1.1.4.4"
_MR = (MRImageStorage, EnhancedMRImageStorage, LEGACY_CONVERTED_MR)
_OTHER_TOKENS = frozenset(
    (
        "EADC",
        "EXP",
        "FA",
        "COLFA",
        "TENSOR",
        "PROJECTION IMAGE",
        "MIP",
        "COMP_MIP",
        "MPR",
        "SUBTRACTION",
        "P",
        "PHASE MAP",
    )
)
_TRACE_TOKENS = frozenset(("TRACEW", "TRACE", "ISODWI", "ISOTROPIC"))
_ADC_DESCRIPTION = re.compile(r"(^|[^A-Z])ADC([^A-Z]|$)|APPARENT DIFFUSION")
_COMPUTED_DESCRIPTION = re.compile(r"CALC_BVAL|SYNTHETIC|CDWI")
_SIEMENS_SEQUENCE = re.compile(r"^\*?ep_b(\d+)(.*)$")
_CORRECTIONS = ("DIS3D", "DIS2D", "ND")
TENSOR_B0 = "TENSOR_B0"
NEAR_ZERO_B = 10.0
"""b-values up to here are repeats of b 0 (R1, 5)."""
_WITHOUT_DIRECTION_B = 1.0
"""Below this a direction means nothing: it changes the signal by less than 0.3 %."""


class Role(StrEnum):
    """What one image is."""

    NOT_MR = "not MR"
    UNREADABLE = "form not read"
    ADC = "adc"
    OTHER = "other map"
    COMPUTED = "computed"
    B0 = "b0"
    TRACE = "trace"
    DIRECTIONAL = "direction"
    UNSTATED = "diffusion, kind not stated"
    PLAIN = "not diffusion"


def role_of(frame: Frame) -> Role:
    """Return the image's role; the first rule that fits decides."""
    words = set(frame.image_type)
    if frame.sop_class_uid not in _MR:
        return Role.NOT_MR
    for role, fits in _MAPS:
        if fits(frame, words):
            return role
    return Role.UNREADABLE if frame.problem else _by_b_value(frame, words)


def is_derived_b0(frame: Frame) -> bool:
    """Whether a b0 was made by processing: it is no second acquisition of b 0."""
    return "DERIVED" in frame.image_type


def is_composed(frame: Frame) -> bool:
    """Whether the scanner joined this image from stations (R1, 8): interpolated and blended."""
    return any(w in {"COMPOSED", "COMPOSITE"} or w.startswith("COMP_") for w in frame.image_type)


def correction_of(frame: Frame) -> str:
    """Return Siemens' word for the distortion correction: DIS3D, DIS2D, ND (none) or ""."""
    return next((word for word in _CORRECTIONS if word in frame.image_type), "")


def _is_adc(frame: Frame, words: set[str]) -> bool:
    named = "DERIVED" in words and _ADC_DESCRIPTION.search(frame.series_description.upper())
    return bool(named) or any(w == "ADC" or w.startswith("ADC_") for w in words)


def _is_other_map(frame: Frame, words: set[str]) -> bool:
    return bool(words & _OTHER_TOKENS) or frame.directionality == directions.ANISOTROPY_MAP


def _is_computed(frame: Frame, words: set[str]) -> bool:
    named = _COMPUTED_DESCRIPTION.search(frame.series_description.upper())
    marked = words & {"CALC_BVALUE", "SYNTHETIC"}
    # The tensor's b0 has a name of two b-values too, but it is a copy of the b0 that was acquired.
    renamed = TENSOR_B0 not in words and _siemens_name_of_another_b(frame)
    return bool(named) or bool(marked) or renamed


_MAPS: tuple[tuple[Role, Callable[[Frame, set[str]], bool]], ...] = (
    (Role.ADC, _is_adc),
    (Role.OTHER, _is_other_map),
    (Role.COMPUTED, _is_computed),
)


def _by_b_value(frame: Frame, words: set[str]) -> Role:
    b = frame.b.value
    said, gradient = frame.directionality, frame.gradient
    turned = gradient is not None and any(gradient)
    if b is None:
        return Role.UNSTATED if "DIFFUSION" in words else Role.PLAIN
    if b < _WITHOUT_DIRECTION_B or (b <= NEAR_ZERO_B and not turned):
        return Role.B0
    if said == directions.ISOTROPIC or words & _TRACE_TOKENS or (gradient and not turned):
        return Role.TRACE
    if said == directions.DIRECTIONAL or turned:
        return Role.DIRECTIONAL
    return Role.UNSTATED


def _siemens_name_of_another_b(frame: Frame) -> bool:
    """Siemens names an image after the b-values that it was computed from: `ep_b50_800`."""
    match = _SIEMENS_SEQUENCE.match(frame.sequence_name)
    if not match or frame.b.value is None:
        return False
    own = abs(float(match[1]) - frame.b.value) <= max(5.0, 0.05 * frame.b.value)
    return not (own and re.fullmatch(r"t?|#\d+|t?#\d+", match[2]))
