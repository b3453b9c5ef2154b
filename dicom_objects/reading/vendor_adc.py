"""The scanner's own ADC map where nothing can be fitted: one high b-value is all (dicom.md A3 R6).

Elsewhere it is never used. A study is measured by fits alone or by the scanner's maps alone: two
kinds of ADC in one body could not be told apart in its numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dicom_objects.reading.planes import axes_of, plane_of
from dicom_objects.reading.roles import Role, correction_of, is_composed
from dicom_objects.reading.slices import SAME_POSITION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicom_objects.reading.frames import Frame
    from dicom_objects.reading.limits import FitLimits
    from dicom_objects.reading.screening import Screened
    from dicom_objects.reading.slices import Reason
    from dicom_objects.reading.traces import Stack

NOT_NEEDED = "VENDOR_ADC"
"""Code of a map that is not used, since Osteon fits its own."""
_SAME_DIRECTION = 0.0087
"""Direction cosines within 0.5 degrees differ by less than this."""
_SAME_SPACING_MM = 0.01
_IN_PLANE = 0.1
"""Share of a pixel by which the corners of image and map may differ."""


def adc_frames(screened: Sequence[Screened]) -> tuple[Frame, ...]:
    """Return the images of scanners' ADC maps that can be placed and read without loss."""
    return tuple(
        frame
        for one in screened
        for frame, role in one.images
        if role is Role.ADC and frame.plane and frame.pixels and not frame.pixels.lossy
    )


def map_of(
    only: Stack, maps: Sequence[Frame], limits: FitLimits
) -> tuple[tuple[Frame, ...], Reason | None]:
    """Return the map's image for every slice of a place of one b-value, or why there is none."""
    said = f"only b {only.b:g} s/mm² was sent for this position"
    if not limits.highest_b_min <= only.b <= limits.highest_b_max:
        text = (
            f"{said}; the scanner's ADC map can stand for a fit at b {limits.highest_b_min:g} to"
            f" {limits.highest_b_max:g} only."
        )
        return (), ("ONE_SHELL_ONLY", text)
    by_series: dict[str, list[Frame]] = {}
    for one in maps:
        by_series.setdefault(one.series_uid, []).append(one)
    complete = [found for held in by_series.values() if (found := _slices_of(only, held))]
    if len(complete) == 1:
        return complete[0], None
    text = (
        f"{said}, and {len(complete) or 'no'} ADC map(s) of the scanner show all of its slices;"
        " ADC needs at least two b-values, or one such map."
    )
    return (), ("ONE_SHELL_ONLY", text)


def _slices_of(stack: Stack, held: Sequence[Frame]) -> tuple[Frame, ...]:
    """Return the images of one map that show the slices of a stack; () unless each is there once.

    Slices of neighbouring stations may lie at one position: maps of two series are never mixed.
    """
    found = []
    for frame in stack.standing_for_it:
        there = [one for one in held if _shows(one, frame, stack.geometry.spacing_mm[0])]
        if len(there) != 1:
            return ()
        found += there
    return tuple(found)


def _shows(one: Frame, frame: Frame, spacing_mm: float) -> bool:
    return _pictures_match(one, frame) and _lie_alike(one, frame, spacing_mm)


def _pictures_match(one: Frame, frame: Frame) -> bool:
    a, b = plane_of(one), plane_of(frame)
    return (
        (a.rows, a.columns, a.frame_of_reference_uid, one.patient_position)
        == (b.rows, b.columns, b.frame_of_reference_uid, frame.patient_position)
    ) and (is_composed(one), correction_of(one)) == (is_composed(frame), correction_of(frame))


def _lie_alike(one: Frame, frame: Frame, spacing_mm: float) -> bool:
    a, b = plane_of(one), plane_of(frame)
    turned = np.abs(np.subtract(a.orientation, b.orientation)).max() > _SAME_DIRECTION
    if turned or np.abs(np.subtract(a.spacing_mm, b.spacing_mm)).max() > _SAME_SPACING_MM:
        return False
    apart = np.abs(axes_of(b) @ np.subtract(a.position_mm, b.position_mm))
    beside = apart[1:].max() <= _IN_PLANE * min(b.spacing_mm)
    return bool(beside and apart[0] < SAME_POSITION * spacing_mm)
