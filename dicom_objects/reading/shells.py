"""b-value shells: which images belong to one b-value, and which b-values can be fitted."""

from __future__ import annotations

from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING

from dicom_objects.reading.bvalues import BReading
from dicom_objects.reading.limits import DEFAULT_LIMITS
from dicom_objects.reading.roles import NEAR_ZERO_B, Role, role_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dicom_objects.reading.frames import Frame
    from dicom_objects.reading.limits import FitLimits
    from dicom_objects.reading.slices import Reason

_OMIT_ZERO = ("GE", "TOSHIBA", "CANON")
_NO_WEIGHTING_B = 0.1
"""Shells below this are written as 0: they weaken no tissue's signal by more than 0.03 %."""


def with_implied_zero(series: Sequence[Frame]) -> tuple[Frame, ...]:
    """Give b 0 to the images without a b-value of a series whose other images have one.

    GE and Toshiba/Canon leave the attribute out where b is 0. From other vendors it is believed
    where such images are exactly one at each position of the weighted ones (dicom.md A3 R2).
    """
    unsaid = [f for f in series if _may_be_zero(f)]
    if not unsaid:
        return tuple(series)
    weighted = [f for f in series if (f.b.value or 0) > NEAR_ZERO_B and role_of(f) is not Role.ADC]
    if not weighted:
        return tuple(series)
    if not series[0].manufacturer.upper().startswith(_OMIT_ZERO):
        places = [f.plane.position_mm for f in unsaid if f.plane]
        if sorted(places) != sorted({f.plane.position_mm for f in weighted if f.plane}):
            return tuple(series)
    zero = BReading(0.0, "implied by its series")
    implied = {id(f) for f in unsaid}
    return tuple(replace(f, b=zero) if id(f) in implied else f for f in series)


def _may_be_zero(frame: Frame) -> bool:
    return (
        frame.b.value is None
        and frame.plane is not None
        and "DERIVED" not in frame.image_type
        and role_of(frame) in {Role.PLAIN, Role.UNSTATED}
    )


def shell_table(b_values: Iterable[float]) -> dict[float, float]:
    """Map every b-value to its shell: up to 10, then within max(5, 5 %) of a shell's first.

    A shell's own value is the median of what was sent; 0 where that is next to nothing.
    """
    table: dict[float, float] = {}
    shell: list[float] = []
    for b in [*sorted(b_values), float("inf")]:
        if shell and b > _end_of_shell(shell[0]):
            value = median(shell)
            table.update(dict.fromkeys(shell, 0.0 if value < _NO_WEIGHTING_B else value))
            shell = []
        shell.append(b)
    return table


def _end_of_shell(first: float) -> float:
    return NEAR_ZERO_B if first <= NEAR_ZERO_B else first + max(5.0, 0.05 * first)


def fit_refusal(b_values: Sequence[float], limits: FitLimits = DEFAULT_LIMITS) -> Reason | None:
    """Return why these shells cannot be fitted (dicom.md A3 R6): a code and a sentence."""
    listed = ", ".join(f"{b:g}" for b in sorted(b_values))
    if len(b_values) < 2:
        return (
            "ONE_SHELL_ONLY",
            f"only b {listed} s/mm² was sent for this position; ADC needs at least two b-values.",
        )
    low, high = min(b_values), max(b_values)
    fits = low <= limits.lowest_b_max and limits.highest_b_min <= high <= limits.highest_b_max
    if not fits or high - low < limits.b_span_min:
        text = (
            f"b {listed} s/mm² cannot be fitted: the lowest must be at most"
            f" {limits.lowest_b_max:g}, the highest between {limits.highest_b_min:g} and"
            f" {limits.highest_b_max:g}, and {limits.b_span_min:g} apart."
        )
        return "B_RANGE", text
    return None
