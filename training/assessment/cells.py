"""Numbers as they stand in the cells of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from training.assessment.intervals import Interval


def interval(found: Interval, digits: int = 3) -> str:
    """Return "0.877 [0.870-0.884]", without brackets where there is no interval."""
    if found.low is None or found.high is None:
        return number(found.value, digits)
    return f"{number(found.value, digits)} [{found.low:.{digits}f}-{found.high:.{digits}f}]"


def number(value: float | None, digits: int = 3) -> str:
    """Return a number for a cell, "-" where there is none."""
    return "-" if value is None else f"{value:.{digits}f}"
