"""The unit of a scanner's ADC map: said in its header, else told by its range (dicom.md A3 R7)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pydicom

from dicom_objects.attributes import attribute
from dicom_objects.errors import DicomObjectError
from dicom_objects.reading.pixels import load_image
from imaging.adc import noise_floor

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from pydicom import Dataset

    from dicom_objects.reading.frames import Frame

_MM2_S = re.compile(r"(?:(?:10\*?|1(?:\.0)?e|(?<![\d.])e)-0?(\d))?[.*x]?mm2/s")
_UM2_S = re.compile(r"(?<!m)um2/(m?)s")
_SMALLER = str.maketrans({"µ": "u", "μ": "u", "²": "2", "⁻": "-", "³": "3", "⁶": "6", "·": "."})
_IN_A_BODY_UM2_S = (200.0, 4000.0)
"""The median ADC of a body lies here; a map whose median does not has another unit (R7)."""
_UNITS_UM2_S = (1.0, 1e3, 1e6)
"""1e-6, 1e-3 and 1 mm²/s: what vendors write where the header names no unit."""


class UnknownAdcUnit(DicomObjectError):  # noqa: N818 - it names the condition
    """The values of a scanner's ADC map cannot be those of a body in the unit that it names."""

    code = "ADC_UNIT"


def unit_um2_s(words: str) -> float | None:
    """Return how many µm²/s one unit is; None where the words name no unit of diffusivity."""
    plain = words.translate(_SMALLER).lower()
    plain = re.sub(r"[\s^{}()\[\]]", "", plain)
    if found := _UM2_S.search(plain):
        return 1e3 if found[1] else 1.0
    if found := _MM2_S.search(plain):
        return float(10 ** (6 - int(found[1] or 0)))
    return None


def load_adc(frames: Sequence[Frame], signal: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the ADC map (slice, row, column) in µm²/s, float32, as the scanner made it.

    Args:
        frames: one image a slice of the map.
        signal: of the same body on the same grid, to tell it from air.

    Raises:
        UndecodablePixels: a file's pixels cannot be decoded.
        UnknownAdcUnit: `ADC_UNIT`, the body's median is none of a body in any likely unit.

    """
    said = [_said(frame, groups) for frame, groups in _with_headers(frames)]
    units = {unit for _, unit in said}
    if len(units) > 1:
        message = f"series {frames[0].series_number}: the slices of the ADC map differ in unit"
        raise UnknownAdcUnit(message)
    image = load_image([frame for frame, _ in said])
    body = image[(signal > noise_floor(signal)) & (image > 0)]
    median = float(np.median(body)) if body.size else 0.0
    (unit,) = units
    low, high = _IN_A_BODY_UM2_S
    for factor in _UNITS_UM2_S if unit is None else (unit,):
        if low <= median * factor <= high:
            return image * np.float32(factor)
    named = "names no unit" if unit is None else f"says {unit:g} µm²/s a unit"
    message = (
        f"series {frames[0].series_number}: the ADC map {named} and has a median of {median:g} in"
        " the body, which is no ADC of a body; send the images that it was made of"
    )
    raise UnknownAdcUnit(message)


def _with_headers(frames: Sequence[Frame]) -> Iterator[tuple[Frame, list[Dataset]]]:
    """Give with each frame where its header may name the unit, the frame's own groups first."""
    read: dict[Path, Dataset] = {}
    for frame in frames:
        if frame.path not in read:
            read[frame.path] = pydicom.dcmread(frame.path, stop_before_pixels=True)
        header = read[frame.path]
        own = attribute(header, "PerFrameFunctionalGroupsSequence") or []
        shared = attribute(header, "SharedFunctionalGroupsSequence") or []
        number = frame.frame_number
        yield frame, [*([own[number - 1]] if number and own else []), *shared[:1], header]


def _said(frame: Frame, groups: Sequence[Dataset]) -> tuple[Frame, float | None]:
    """Return the frame with the scale that the unit belongs to, and µm²/s a unit where said."""
    for mapping in (m for g in groups for m in _items(g, "RealWorldValueMappingSequence")):
        slope = attribute(mapping, "RealWorldValueSlope")
        unit = _first(unit_um2_s(word) for word in _measurement_unit(mapping))
        if unit is not None and slope is not None and frame.pixels is not None:
            intercept = float(attribute(mapping, "RealWorldValueIntercept") or 0.0)
            scaled = replace(frame.pixels, slope=float(slope), intercept=intercept)
            return replace(frame, pixels=scaled), unit
    places = [*groups, *(i for g in groups for i in _items(g, "PixelValueTransformationSequence"))]
    words = [str(attribute(place, "RescaleType") or "") for place in places]
    return frame, _first(unit_um2_s(word) for word in [*words, frame.series_description])


def _measurement_unit(mapping: Dataset) -> Iterator[str]:
    for code in _items(mapping, "MeasurementUnitsCodeSequence"):
        yield str(attribute(code, "CodeValue") or "")
        yield str(attribute(code, "CodeMeaning") or "")


def _items(dataset: Dataset, keyword: str) -> Sequence[Dataset]:
    found: Sequence[Dataset] = attribute(dataset, keyword) or []
    return found


def _first(units: Iterator[float | None]) -> float | None:
    return next((unit for unit in units if unit is not None), None)
