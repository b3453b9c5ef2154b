"""How numbers are written, in one place, so that no two outputs can disagree.

Volumes to 0.001 mL (a voxel is 0.01 to 0.06 mL), ADC to 0.1 µm²/s, shape statistics and the
logarithm to 0.0001, fractions to 0.0001, percentages to 0.1, lengths to 0.1 mm, spacings to
0.0001 mm, seconds to 0.001. Python's `round` of the double: what is stored is what was computed,
nearest decimal. What is not finite is written as null, and minus zero as zero.
"""

from __future__ import annotations

import math

VOLUME_ML = 3
ADC_UM2_S = 1
SHAPE = 4
FRACTION = 4
PERCENT = 1
LENGTH_MM = 1
SPACING_MM = 4
SECONDS = 3


def rounded(value: float | None, digits: int) -> float | None:
    """Round to `digits` decimals; None for what is missing or not finite."""
    if value is None or not math.isfinite(value):
        return None
    return round(float(value), digits) + 0.0  # -0.0 + 0.0 is 0.0


def present(value: float | None, digits: int) -> str:
    """Write for people with exactly `digits` decimals; a dash for what is missing."""
    number = rounded(value, digits)
    return "–" if number is None else f"{number:.{digits}f}"  # noqa: RUF001 - a dash, not a minus
