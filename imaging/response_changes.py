"""Changes of single numbers against their limits; nothing is judged that cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imaging.response import Call, Change, Mark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imaging.response_limits import Limit, ResponseLimits

UNKNOWN_BEFORE = "not known of the earlier study"
UNKNOWN_NOW = "not known of this study"
_EXACTLY = 1e-9


def unknown(why: str) -> Change:
    """Return a change of which nothing is known."""
    return Change(None, None, why=why)


def volume_change(
    before: float | None, after: float | None, limit: Limit, smallest_ml: float
) -> Change:
    """Judge a volume in mL.

    0 mL is a finding here: disease that was not there before is up, disease that went is down.
    Where both are below `smallest_ml` nothing is called.
    """
    if before is None or after is None:
        return _not_known(before, after)
    if max(before, after) < smallest_ml * (1 - 1e-9):
        return Change(before, after, limit, why=f"less than {smallest_ml:g} mL in both studies")
    if before <= 0:
        return Change(before, after, limit, "up")
    return Change(before, after, limit, _call(100 * (after / before - 1), limit))


def adc_change(
    before: float | None,
    after: float | None,
    limit: Limit,
    volumes_ml: tuple[float, float],
    smallest_ml: float,
) -> Change:
    """Judge a median ADC in µm²/s of `volumes_ml` of disease (before, after).

    Nothing is called where either volume is below `smallest_ml`.
    """
    if before is None or after is None or before <= 0:
        return _not_known(before, after)
    if min(volumes_ml) < smallest_ml * (1 - 1e-9):
        return Change(before, after, limit, why=f"less than {smallest_ml:g} mL in one study")
    return Change(before, after, limit, _call(100 * (after / before - 1), limit))


def marks(adc: Change, limits: ResponseLimits) -> tuple[Mark, ...]:
    """Return which values that MET-RADS-P names the ADC passed (A4); facts, not limits."""
    return tuple(_marks(adc, limits))


def _marks(adc: Change, limits: ResponseLimits) -> Iterator[Mark]:
    percent, before, after = adc.percent, adc.before, adc.after
    if percent is None or before is None or after is None:
        return
    for value in limits.marks_percent:
        if percent >= value:
            yield Mark(value, "%", "up")
    for value in limits.marks_um2_s:
        if before <= value < after:
            yield Mark(value, "um2/s", "up")
        if after <= value < before:
            yield Mark(value, "um2/s", "down")


def _call(percent: float, limit: Limit) -> Call:
    """Call a change of exactly the limit within it, whatever the last binary digit."""
    if percent > limit.high_percent + _EXACTLY:
        return "up"
    return "down" if percent < limit.low_percent - _EXACTLY else "within"


def _not_known(before: float | None, after: float | None) -> Change:
    return Change(before, after, why=UNKNOWN_BEFORE if before is None else UNKNOWN_NOW)
