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
_ENHANCED = (EnhancedMRImageStorage, LEGACY_CONVERTED_MR)
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
        "TENSOR_B0",
    )
)
_TRACE_TOKENS = frozenset(("TRACEW", "TRACE", "ISODWI", "ISOTROPIC"))
_ADC_DESCRIPTION = re.compile(r"(^|[^A-Z])ADC([^A-Z]|$)|APPARENT DIFFUSION")
_COMPUTED_DESCRIPTION = re.compile(r"CALC_BVAL|SYNTHETIC|CDWI")
_SIEMENS_SEQUENCE = re.compile(r"^\*?ep_b(\d+)(.*)$")


class Role(StrEnum):
    """What one image is."""

    NOT_MR = "not MR"
    ENHANCED = "enhanced MR"
    MOSAIC = "mosaic"
    ADC = "adc"
    OTHER = "other map"
    COMPUTED = "computed"
    B0 = "b0"
    TRACE = "trace"
    DIRECTIONAL = "direction"
    UNSTATED = "diffusion, kind not stated"
    PLAIN = "not diffusion"


def role_of(instance: Frame) -> Role:
    """Return the image's role; the first rule that fits decides."""
    words = set(instance.image_type)
    if instance.sop_class_uid in _ENHANCED:
        return Role.ENHANCED
    if instance.sop_class_uid != MRImageStorage:
        return Role.NOT_MR
    for role, fits in _MAPS:
        if fits(instance, words):
            return role
    return _by_b_value(instance, words)


def _is_adc(instance: Frame, words: set[str]) -> bool:
    named = "DERIVED" in words and _ADC_DESCRIPTION.search(instance.series_description.upper())
    return bool(named) or any(w == "ADC" or w.startswith("ADC_") for w in words)


def _is_other_map(instance: Frame, words: set[str]) -> bool:
    return bool(words & _OTHER_TOKENS) or instance.directionality == directions.ANISOTROPY_MAP


def _is_computed(instance: Frame, words: set[str]) -> bool:
    named = _COMPUTED_DESCRIPTION.search(instance.series_description.upper())
    marked = words & {"CALC_BVALUE", "SYNTHETIC"}
    return bool(named) or bool(marked) or _siemens_name_of_another_b(instance)


def _is_mosaic(_instance: Frame, words: set[str]) -> bool:
    return bool(words & {"MOSAIC", "VFRAME"})


_MAPS: tuple[tuple[Role, Callable[[Frame, set[str]], bool]], ...] = (
    (Role.ADC, _is_adc),
    (Role.OTHER, _is_other_map),
    (Role.COMPUTED, _is_computed),
    (Role.MOSAIC, _is_mosaic),
)


def _by_b_value(instance: Frame, words: set[str]) -> Role:
    b = instance.b.value
    if b is None:
        return Role.UNSTATED if "DIFFUSION" in words else Role.PLAIN
    if b <= 10:
        return Role.B0
    said, gradient = instance.directionality, instance.gradient
    if said == directions.ISOTROPIC or words & _TRACE_TOKENS or gradient == (0.0, 0.0, 0.0):
        return Role.TRACE
    if said == directions.DIRECTIONAL or gradient is not None:
        return Role.DIRECTIONAL
    return Role.UNSTATED


def _siemens_name_of_another_b(instance: Frame) -> bool:
    """Siemens names an image after the b-values that it was computed from: `ep_b50_800`."""
    match = _SIEMENS_SEQUENCE.match(instance.sequence_name)
    if not match or instance.b.value is None:
        return False
    own = abs(float(match[1]) - instance.b.value) <= max(5.0, 0.05 * instance.b.value)
    return not (own and re.fullmatch(r"t?|#\d+|t?#\d+", match[2]))
