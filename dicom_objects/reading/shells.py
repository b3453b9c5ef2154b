"""b-value shells: which images belong to one b-value, and which b-values can be fitted."""

from __future__ import annotations

from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING

from dicom_objects.reading.bvalues import BReading
from dicom_objects.reading.roles import Role, role_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dicom_objects.reading.frames import Frame

_OMIT_ZERO = ("GE", "TOSHIBA", "CANON")
MINIMAL_SPAN = 200.0
LARGEST_LOW = 150.0
HIGH_RANGE = (400.0, 1500.0)


def with_implied_zero(series: Sequence[Frame]) -> tuple[Frame, ...]:
    """Give b 0 to the images without a b-value of a series whose other images have one.

    GE and Toshiba/Canon leave the attribute out where b is 0 (dicom.md A3 R2, "implied 0").
    """
    weighted = any((i.b.value or 0.0) > 10 and role_of(i) is not Role.ADC for i in series)
    if not weighted or not series[0].manufacturer.upper().startswith(_OMIT_ZERO):
        return tuple(series)
    zero = BReading(0.0, "implied by its series")
    implied = [i.b.value is None and "DERIVED" not in i.image_type for i in series]
    return tuple(replace(i, b=zero) if z else i for i, z in zip(series, implied, strict=True))


def shell_table(b_values: Iterable[float]) -> dict[float, float]:
    """Map every b-value to its shell: values within max(5, 5 %) of a shell's first are one.

    A shell's own value is the median of what was sent.
    """
    table: dict[float, float] = {}
    shell: list[float] = []
    for b in [*sorted(b_values), float("inf")]:
        if shell and b - shell[0] > max(5.0, 0.05 * shell[0]):
            table.update(dict.fromkeys(shell, median(shell)))
            shell = []
        shell.append(b)
    return table


def fit_refusal(b_values: Sequence[float]) -> tuple[str, str] | None:
    """Return why these shells cannot be fitted (dicom.md A3 R6): a code and a sentence."""
    listed = ", ".join(f"{b:g}" for b in sorted(b_values))
    if len(b_values) < 2:
        return (
            "ONE_SHELL_ONLY",
            f"only b {listed} s/mm² was sent for this position; ADC needs at least two b-values.",
        )
    low, high = min(b_values), max(b_values)
    if low > LARGEST_LOW or not HIGH_RANGE[0] <= high <= HIGH_RANGE[1] or high - low < MINIMAL_SPAN:
        text = (
            f"b {listed} s/mm² cannot be fitted: the lowest must be at most {LARGEST_LOW:g} and"
            f" the highest between {HIGH_RANGE[0]:g} and {HIGH_RANGE[1]:g}."
        )
        return "B_RANGE", text
    return None
